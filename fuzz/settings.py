"""The panel's settings for the fuzzer: those of production, with a data folder that is gone afterwards and no limits a
minute. No broker: hints go nowhere, and nothing is sent to any provider.
"""

from __future__ import annotations

import os

for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PUBLIC_URL", "ALLOWED_HOSTS", "PANEL_CURRENCY"):
    os.environ.pop(name, None)
os.environ["PANEL_ENV_FILE"] = ""
os.environ["PANEL_DEMO"] = "0"
os.environ["SECRET_KEY"] = "a key for the fuzzer alone: nothing that it writes outlives it"  # noqa: S105
os.environ["LOG_LEVEL"] = "ERROR"
assert "PANEL_DATA_DIR" in os.environ, "the fuzzer names a folder of its own"

from smmpanel.settings import *  # noqa: E402, F403
from smmpanel.settings import DATABASES  # noqa: E402

options = DATABASES["default"]["OPTIONS"]
options["init_command"] = options["init_command"].replace("synchronous=FULL", "synchronous=OFF")
API_RATE_LIMIT = API_ORDER_LIMIT = API_BAD_KEY_LIMIT = 0
AXES_ENABLED = False
