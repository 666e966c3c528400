"""The agent's first step, which comes before Twisted is imported; then it serves the manager."""

from __future__ import annotations

import os

from matrix.agent.guard import Guard


def main():
    """Have a guard while there is nothing yet to be copied into its process, and serve.

    Where nothing can be forked there is no guard: the agent's processes end with its pipes.
    """
    if not hasattr(os, "fork"):
        from matrix.agent import forkless

        forkless.main()
        return
    guard = Guard()
    from matrix.agent.serve import serve

    serve(guard)


if __name__ == "__main__":
    main()
