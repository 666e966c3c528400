"""The native process that plays the witness for agents that ask for one."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from matrix.errors import AgentError

MODULE = "matrix.agent.outpost"

_LIMIT = 60.0
"""Seconds in which it must be ready."""


@asynccontextmanager
async def outpost(tls: Mapping[str, str]) -> AsyncIterator[dict[str, Any]]:
    """A running outpost, by the ``port`` and ``token`` that a cell needs to speak to it.

    It ends with its standard input, so that it never outlives the manager.
    """
    token, pipe = secrets.token_hex(16), asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", MODULE, stdin=pipe, stdout=pipe, start_new_session=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps({"tls": dict(tls), "token": token}).encode() + b"\n")
        line = await asyncio.wait_for(process.stdout.readline(), _LIMIT)
        if not line:
            raise AgentError("The process that plays the witness did not start; see above why.")
        yield {"port": json.loads(line)["port"], "token": token}
    finally:
        process.stdin.close()
        await process.wait()
