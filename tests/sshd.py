"""A real ``sshd`` on loopback, run by the user who runs the tests, with files of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")

_SERVER = """
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
SetEnv {environment}
"""

_CLIENT = """
Host remote
    HostName 127.0.0.1
    Port {port}
    HostKeyAlias remote
    IdentityFile {folder}/user
    IdentitiesOnly yes
    IdentityAgent none
    UserKnownHostsFile {folder}/known_hosts
    GlobalKnownHostsFile none
    StrictHostKeyChecking yes
    BatchMode yes
"""


def why_not() -> str | None:
    """Why there can be no ``sshd`` here, and what helps; None where there can."""
    if SSHD is None or shutil.which("ssh") is None:
        return "needs OpenSSH's ssh and sshd: install openssh-server, as ci/install does"
    if os.geteuid() == 0 and not Path("/run/sshd").is_dir() and sys.platform == "linux":
        return "root's sshd needs the folder /run/sshd, which ci/install makes"
    return None


@frozen
class Server:
    """A running ``sshd``: its port, its process, and the folder with its keys."""

    port: int
    pid: int
    folder: Path

    def command(self, *words: str, port: int | None = None) -> tuple[str, ...]:
        """What runs these words there; ``port``: by way of a relay that listens at that port."""
        config = self.folder / f"config-{port or self.port}"
        config.write_text(_CLIENT.format(port=port or self.port, folder=self.folder))
        return ("ssh", "-F", str(config), "remote", *words)

    def connections(self) -> set[int]:
        """The processes that it has for its connections."""
        return {pid for pid, parent in _parents() if parent == self.pid}


@contextmanager
def serve(folder: Path, environment: Mapping[str, str]) -> Iterator[Server]:
    """An ``sshd`` that gives these variables to what runs there."""
    for name in ("host", "user"):
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(words, check=True)
    public = (folder / "host.pub").read_text()
    (folder / "known_hosts").write_text(f"remote {public}")
    port = _free_port()
    variables = " ".join(f'"{name}={value}"' for name, value in environment.items())
    config = _SERVER.format(port=port, folder=folder, environment=variables)
    (folder / "sshd_config").write_text(config)
    assert SSHD is not None
    words = [SSHD, "-D", "-e", "-f", str(folder / "sshd_config")]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            said = process.stderr.readline()
            assert said.startswith("Server listening on"), said
            yield Server(port, process.pid, folder)
        finally:
            process.kill()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def _parents() -> Iterator[tuple[int, int]]:
    """Every process, with its parent."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text()
        except OSError:
            continue
        yield int(path.parent.name), int(text.rpartition(")")[2].split()[1])
