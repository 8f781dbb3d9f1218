"""Make .venv and install the locked requirements into it, when they are not there yet.

    python3 smmpanel/launch/make_venv.py [--dev]

Runs before anything is installed, so it uses the standard library alone. A lock keeps two of them apart; a stamp,
written last, says what is installed, so that an interrupted installation is done again. `--dev` adds what tests and
checks need.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "installed.json"
OLDEST = (3, 11)


def main(arguments: list[str]) -> None:
    if sys.version_info < OLDEST:
        sys.exit(f"Python {sys.version.split()[0]} is too old: the panel needs {OLDEST[0]}.{OLDEST[1]} or newer.")
    files = [ROOT / "requirements.txt"] + ([ROOT / "requirements-dev.txt"] if "--dev" in arguments else [])
    with open(ROOT / ".venv.lock", "w") as lock:
        if not _locked(lock.fileno()):
            print("Waiting for another set-up in this folder …", flush=True)  # noqa: T201
            fcntl.flock(lock, fcntl.LOCK_EX)
        installed = _installed()
        missing = [file for file in files if installed.get(file.name) != _digest(file)]
        if missing:
            _install(missing[-1], installed)  # the development list contains the other


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _installed() -> dict[str, str]:
    """What the stamp says, by file; nothing when the environment does not work (a folder that was moved, say)."""
    try:
        stamp = dict(json.loads(STAMP.read_text()))
        subprocess.run([_python(), "-c", ""], check=True, capture_output=True)  # noqa: S603
    except (OSError, ValueError, subprocess.CalledProcessError):
        return {}
    return stamp


def _install(requirements: Path, installed: dict[str, str]) -> None:
    print(f"Installing {requirements.name} into .venv …", flush=True)  # noqa: T201
    STAMP.unlink(missing_ok=True)
    if not installed:
        # Debian keeps ensurepip in a package of its own; where it is missing, this Python's pip installs from outside
        own_pip = importlib.util.find_spec("ensurepip") is not None
        _run([sys.executable, "-m", "venv", "--clear", *([] if own_pip else ["--without-pip"]), str(VENV)])
    pip = [_python(), "-m", "pip"]
    if subprocess.run([*pip, "--version"], capture_output=True).returncode:  # noqa: S603
        pip = [sys.executable, "-m", "pip", "--python", _python()]
    _run([*pip, "install", "--quiet", "--disable-pip-version-check", "--no-input", "--require-hashes",
          "-r", str(requirements)])  # fmt: skip
    files = [ROOT / "requirements.txt", requirements]
    STAMP.write_text(json.dumps({file.name: _digest(file) for file in files}))


def _python() -> str:
    return str(VENV / "bin" / "python")


def _run(command: list[str]) -> None:
    # a virtual environment that is active here must not be the one that is changed
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "VIRTUAL_ENV")}
    if subprocess.run(command, env=environment).returncode:  # noqa: S603
        sys.exit(f"The set-up of .venv failed: see above. The command was: {' '.join(command[:4])} …")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
