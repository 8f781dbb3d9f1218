"""The panel's settings for the torture: those of production, but for the surroundings of a machine under test.

What is different: a database of its own for every run, no broker (hints go nowhere; that sweeps find the work is a part
of what is shown), no .env, and SQLite without fsync. That last one is fair: what a process has written outlives its
SIGKILL in the kernel's cache; only a power cut could take it, and no power is cut here.
"""

from __future__ import annotations

import os
import tempfile

database_url = os.environ.get("DATABASE_URL", "")
for name in ("REDIS_URL", "SECRET_KEY", "PUBLIC_URL", "ALLOWED_HOSTS", "PANEL_CURRENCY"):
    os.environ.pop(name, None)
os.environ["PANEL_ENV_FILE"] = ""
os.environ["PANEL_DEMO"] = "0"
os.environ["SECRET_KEY"] = "a key for the torture alone: nothing that it writes outlives it"  # noqa: S105
os.environ["PROVIDER_PRIVATE_HOSTS"] = "127.0.0.1"  # where the sandboxes listen
os.environ["LOG_LEVEL"] = os.environ.get("TORTURE_LOG_LEVEL", "ERROR")
os.environ.setdefault("PANEL_DATA_DIR", os.path.join(tempfile.gettempdir(), f"smmpanel-torture-{os.getuid()}"))

from smmpanel.settings import *  # noqa: E402, F403
from smmpanel.settings import DATABASES  # noqa: E402

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    options = DATABASES["default"]["OPTIONS"]
    options["init_command"] = options["init_command"].replace("synchronous=FULL", "synchronous=OFF")
DATABASES["default"]["CONN_HEALTH_CHECKS"] = False
AXES_ENABLED = False
PROVIDER_UNKNOWNS_BEFORE_PAUSE = 3  # runs are short: pauses and trials must come up in them, too
PROVIDER_READ_ATTEMPTS = 1  # a read that could not connect is asked again by the next sweep, without a pause
