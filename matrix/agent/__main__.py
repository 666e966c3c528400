"""``python agent.zip``: serve jobs to the manager over the standard streams."""

from matrix.agent.serve import main

if __name__ == "__main__":
    main()
