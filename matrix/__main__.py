"""``python -m matrix``: the ``reactor-matrix`` command."""

from matrix.cli import main

if __name__ == "__main__":
    main()
