"""What tox.ini cannot say of the environments of stacks; tox loads this file by its name.

Which packages a stack gets is told by ``matrix.stacks``, as it is for `reactor-matrix bisect`.
A stack runs by the harness, which has an environment of its own: it is made when the first stack
needs it. And a stack that could not be made, or whose Twisted cannot be imported, is not one that
nobody asked for: it leaves an empty folder, whatever results an earlier run had left there. Only
what `--resume` was to go on with stays, and what another run is writing at that moment.
"""

from __future__ import annotations

import shutil
import sys
import threading
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where a file that is used cannot be deleted
    fcntl = None  # type: ignore[assignment]

from tox.config.sets import ConfigSet, EnvConfigSet
from tox.execute.api import Outcome
from tox.plugin import impl
from tox.session.state import State
from tox.tox_env.api import ToxEnv
from tox.tox_env.runner import RunToxEnv

sys.path.insert(0, str(Path(__file__).parent))
from matrix import stacks

KEY = "runs_by"
UNUSABLE = 2
"""The exit status of reactor-matrix where a command could not be carried out."""

_states: list[State] = []
_one_at_a_time = threading.Lock()
_started: set[str] = set()


@impl
def tox_add_core_config(core_conf: ConfigSet, state: State) -> None:  # noqa: ARG001 - tox's names
    """Keep what leads to the other environments."""
    _states.append(state)


@impl
def tox_add_env_config(env_conf: EnvConfigSet, state: State) -> None:  # noqa: ARG001
    """Let tox.ini say whose program an environment runs, and ask what its name spells."""
    env_conf.add_config(KEY, of_type=str, default="", desc="environment to have ready before")
    spelt = "\n".join(stacks.of_name(env_conf.name or ""))
    env_conf.add_config("stack", of_type=str, default=spelt, desc="what the name spells")


@impl
def tox_before_run_commands(tox_env: ToxEnv) -> None:
    """Have the harness ready before the first of the cells."""
    if not _runs_by(tox_env):
        return
    harness = _states[-1].envs[_runs_by(tox_env)]
    with _one_at_a_time:
        try:
            harness.setup()
        finally:
            harness.teardown()  # or the process that built its wheel would outlive tox
    _started.add(tox_env.conf.name)


@impl
def tox_after_run_commands(tox_env: ToxEnv, exit_code: int, outcomes: list[Outcome]) -> None:  # noqa: ARG001
    """Let a stack be missing in which the cells could not be run at all."""
    if _runs_by(tox_env) and exit_code == UNUSABLE:
        _empty(tox_env)


@impl
def tox_env_teardown(tox_env: ToxEnv) -> None:
    """Let a stack be missing that could not be made."""
    is_made = tox_env.conf.name in _started or getattr(tox_env.options, "no_test", False)
    if _runs_by(tox_env) and not is_made:
        _empty(tox_env)


def _empty(tox_env: ToxEnv) -> None:
    """Leave an empty folder, unless there is something in it that goes on."""
    folder = Path(tox_env.core["work_dir"]) / "results" / tox_env.conf.name
    goes_on = "--resume" in (_states[-1].conf.pos_args(None) or ())
    if not (goes_on or _is_written(folder)):
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)


def _is_written(folder: Path) -> bool:
    """Whether a run holds the lock of `matrix.store` on the results there: it survived its tox."""
    part = folder / "results.jsonl.part"
    if fcntl is None or not part.exists():
        return False
    with part.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _runs_by(tox_env: ToxEnv) -> str:
    """The environment whose program an environment runs; empty for those that run their own."""
    return str(tox_env.conf[KEY]) if isinstance(tox_env, RunToxEnv) else ""
