"""The panel's settings for its tests: nothing of this machine's panel, and a data folder that is gone afterwards.

DATABASE_URL, REDIS_URL and PANEL_DATA_DIR may be given on purpose, to test on other databases; a .env is never read.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

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


def _of_this_worker(url: str, worker: str) -> str:
    """A numbered database of its own for each worker of pytest-xdist: one that empties its cache empties no other's."""
    parts = urlsplit(url)
    number = int(worker.removeprefix("gw") or 0)
    if parts.scheme in ("unix", "redis+socket"):
        asked = dict(parse_qsl(parts.query))
        name = "virtual_host" if parts.scheme == "redis+socket" else "db"
        asked[name] = str(int(asked.get(name, 0)) + number)
        return urlunsplit(parts._replace(query=urlencode(asked)))
    return urlunsplit(parts._replace(path=f"/{int(parts.path.strip('/') or 0) + number}"))


if "PYTEST_XDIST_WORKER" in os.environ and "PANEL_TESTS_REDIS" not in os.environ:
    if os.environ.get("REDIS_URL"):
        os.environ["REDIS_URL"] = _of_this_worker(os.environ["REDIS_URL"], os.environ["PYTEST_XDIST_WORKER"])
    os.environ["PANEL_TESTS_REDIS"] = "chosen"  # the processes that tests start take what they are given

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
