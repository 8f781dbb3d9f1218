"""The settings of the upper panel: those of production, on an SQLite file of its own, without limits a minute."""

from __future__ import annotations

import os

os.environ["PROVIDER_PRIVATE_HOSTS"] = "127.0.0.1"  # where its own provider listens

from fuzz.settings import *  # noqa: E402, F403
