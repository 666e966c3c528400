"""The agent's first step, which comes before Twisted is imported; then it serves the manager."""

from __future__ import annotations

from matrix.agent.guard import Guard


def main():
    """Have a guard while there is nothing yet to be copied into its process, and serve."""
    guard = Guard()
    from matrix.agent.serve import serve

    serve(guard)


if __name__ == "__main__":
    main()
