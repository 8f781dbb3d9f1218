"""The panel's settings for its tests: nothing of this machine's panel, and a data folder that is gone afterwards.

DATABASE_URL, REDIS_URL and PANEL_DATA_DIR may be given on purpose, to test on other databases; a .env is never read.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

OWN = ("DATABASE_URL", "REDIS_URL", "PANEL_DATA_DIR", "PATH", "HOME", "LANG", "TZ", "TMPDIR")
with open(os.path.join(os.path.dirname(os.path.dirname(__file__)), ".env.example"), encoding="utf8") as documented:
    for line in documented:
        name = line.lstrip("# ").partition("=")[0]
        if name.isidentifier() and name.isupper() and name not in OWN:
            os.environ.pop(name, None)
os.environ["PANEL_ENV_FILE"] = ""
os.environ["SECRET_KEY"] = "a key for tests alone: nothing that they write outlives them"
if "PANEL_DATA_DIR" not in os.environ:
    folder = tempfile.mkdtemp(prefix="smmpanel-tests-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["PANEL_DATA_DIR"] = folder  # each xdist worker comes here by itself, and so has its own database file

from smmpanel.settings import *  # noqa: E402, F403
from smmpanel.settings import DATA_DIR, DATABASES  # noqa: E402

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / f"test-{os.getpid()}.sqlite3")}  # a file: threads share it
    options = DATABASES["default"]["OPTIONS"]
    # No power cuts here.
    options["init_command"] = options["init_command"].replace("synchronous=FULL", "synchronous=OFF")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},  # no collectstatic before
}
WHITENOISE_AUTOREFRESH = True  # and no walk over all static files at every start
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # argon2 is slow on purpose
AXES_ENABLED = False  # its own tests turn it on
