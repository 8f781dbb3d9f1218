"""Where things lie in the data folder.

Every process works these places out for itself from the folder's path alone, so that a command run beside a panel
finds its database, key and broker with nothing but the same PANEL_DATA_DIR.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

SOCKET_PATH_BYTES = 107 if os.uname().sysname == "Linux" else 103  # what sockaddr_un holds, without its final zero
SHORT_ROOT = Path("/tmp")  # noqa: S108 - not TMPDIR: two processes may not agree on that one
KEY_BYTES = 50
CONNECT_SECONDS = 0.5


class UnsafePlace(Exception):
    """Something of ours lies where somebody else may have put it."""


@dataclass(frozen=True, slots=True)
class Places:
    """The paths of one data folder. Making the object touches nothing."""

    folder: Path

    @property
    def database(self) -> Path:
        return self.folder / "panel.sqlite3"

    @property
    def secret_key(self) -> Path:
        return self.folder / "secret.key"

    @property
    def demo_logins(self) -> Path:
        return self.folder / "demo-logins.json"

    @property
    def mail(self) -> Path:
        return self.folder / "mail"

    @property
    def lock(self) -> Path:
        return self.folder / "panel.lock"

    @property
    def static(self) -> Path:
        return self.folder / "static"

    @property
    def beat_schedule(self) -> Path:
        return self.folder / "beat-schedule"

    @property
    def sandbox(self) -> Path:
        return self.folder / "sandbox"

    @property
    def sandbox_port(self) -> Path:
        return self.sandbox / "port"

    @property
    def valkey(self) -> Path:
        return self.folder / "valkey"

    @property
    def broker_socket(self) -> Path:
        """Valkey's socket: in the folder, or, where that path is too long for a socket, in a short private one."""
        wanted = self.folder / "valkey.sock"
        if len(os.fsencode(wanted)) <= SOCKET_PATH_BYTES:
            return wanted
        name = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        return SHORT_ROOT / f"smmpanel-{os.getuid()}-{name}" / "valkey.sock"

    def make(self) -> None:
        """Make the folder (for its owner alone) and the socket's, which nobody else may own or enter."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for inner in (self.valkey, self.sandbox):
            inner.mkdir(exist_ok=True, mode=0o700)
        if self.broker_socket.parent != self.folder:
            _make_private(self.broker_socket.parent)

    def broker_answers(self) -> bool:
        """Whether a Valkey of ours listens: a socket file alone may be left over from a killed one."""
        path = self.broker_socket
        try:
            if path.parent != self.folder:
                _check_private(path.parent)
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                probe.settimeout(CONNECT_SECONDS)
                probe.connect(str(path))
        except (OSError, UnsafePlace):
            return False
        return True

    def read_or_make_key(self) -> str:
        """The key kept in the folder, made at first use. Two processes that begin together get the same one."""
        try:
            return self.secret_key.read_text().strip()
        except FileNotFoundError:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self.secret_key.with_name(f".secret.key.{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, self.secret_key)  # whole or not at all, and never over another's
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return self.secret_key.read_text().strip()


def _make_private(folder: Path) -> None:
    folder.mkdir(exist_ok=True, mode=0o700)
    _check_private(folder)


def _check_private(folder: Path) -> None:
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise UnsafePlace(f"{folder} is not a folder that belongs to this user alone: remove it and start again.")
