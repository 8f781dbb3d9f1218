"""Settings of the panel, all from the environment (`.env.example` documents each)."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
DATA_DIR = Path(env("PANEL_DATA_DIR", default=str(BASE_DIR / ".data"))).resolve()

SECRET_KEY = env("SECRET_KEY", default="development-only-key-that-is-replaced-by-the-frame")
SALT_KEY = SECRET_KEY
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
PANEL_CURRENCY = env("PANEL_CURRENCY", default="USD")
PANEL_NAME = env("PANEL_NAME", default="smmpanel")
REDIS_URL = env("REDIS_URL", default="")

# Providers: requests to upstream panels
PROVIDER_PRIVATE_HOSTS = env.list("PROVIDER_PRIVATE_HOSTS", default=[])  # names, addresses, networks; http for these alone
PROVIDER_CA_FILE = env("PROVIDER_CA_FILE", default="")  # authorities to trust instead of certifi's, as a PEM file
PROVIDER_SESSIONS = env.int("PROVIDER_SESSIONS", default=64)  # pooled sessions a process keeps; beyond, the least used goes
PROVIDER_MAX_BODY_BYTES = env.int("PROVIDER_MAX_BODY_BYTES", default=2_000_000)  # 100 statuses are 20 kB
PROVIDER_MAX_SERVICES_BYTES = env.int("PROVIDER_MAX_SERVICES_BYTES", default=20_000_000)  # 20,000 services are 10 MB
PROVIDER_MAX_HEAD_BYTES = env.int("PROVIDER_MAX_HEAD_BYTES", default=200_000)  # status line, headers, chunk sizes
PROVIDER_ADD_MAX_IDLE_SECONDS = env.float("PROVIDER_ADD_MAX_IDLE_SECONDS", default=1.0)  # an order's connection is fresh
PROVIDER_READ_MAX_IDLE_SECONDS = env.float("PROVIDER_READ_MAX_IDLE_SECONDS", default=4.0)  # servers close after 5 s
PROVIDER_ADD_PATIENCE_SECONDS = env.float("PROVIDER_ADD_PATIENCE_SECONDS", default=5.0)  # for a place within the limits
PROVIDER_READ_PATIENCE_SECONDS = env.float("PROVIDER_READ_PATIENCE_SECONDS", default=15.0)
PROVIDER_READ_ATTEMPTS = env.int("PROVIDER_READ_ATTEMPTS", default=3)  # of a read that was not sent; `add` has one
PROVIDER_READ_SHARE_PERCENT = env.int("PROVIDER_READ_SHARE_PERCENT", default=80)  # of the rate; the rest is for orders
PROVIDER_LIMITS_REDIS_TIMEOUT_SECONDS = env.float("PROVIDER_LIMITS_REDIS_TIMEOUT_SECONDS", default=1.0)
PROVIDER_LIMITS_RETRY_SECONDS = env.int("PROVIDER_LIMITS_RETRY_SECONDS", default=10)  # until Redis is tried again
PROVIDER_UNKNOWNS_BEFORE_PAUSE = env.int("PROVIDER_UNKNOWNS_BEFORE_PAUSE", default=5)  # in a row
PROVIDER_LOW_BALANCE = env("PROVIDER_LOW_BALANCE", default="10")  # in PANEL_CURRENCY; below it the operator is told; 0: never
PROVIDER_DRIFT_TOLERANCE = env("PROVIDER_DRIFT_TOLERANCE", default="0.01")  # providers round what they show

INSTALLED_APPS = [
    "ledger",
    "records",
    "accounts",
    "providers",
    "catalog",
    "orders",
    "portal",
    "operations",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "smmpanel.urls"
WSGI_APPLICATION = "smmpanel.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'panel.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
    }
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
    DATA_DIR.mkdir(parents=True, exist_ok=True)

AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"

# records: background jobs and what is kept of them
JOB_BUDGET_SECONDS = env.float("JOB_BUDGET_SECONDS", default=50.0)  # a turn's time: under the sweeps' minute, far under the broker's visibility timeout
JOB_RERUNS = 3  # turns a holder adds for those who found it busy, before the next message takes over
JOB_FAILURES_BEFORE_ATTENTION = 3  # one failure is often the network's; three in a row need a person
JOB_ERROR_CHARS = 8000  # of a stored exception with its traceback
JOB_RUNS_KEEP_DAYS = env.int("JOB_RUNS_KEEP_DAYS", default=14)
JOB_RUNS_IDLE_KEEP_HOURS = env.int("JOB_RUNS_IDLE_KEEP_HOURS", default=24)  # runs that found nothing to do are most rows and tell least
RECORDS_TEXT_CHARS = 4000  # of one text inside evidence or an audit entry
RECORDS_PRUNE_BATCH = 2000  # rows a DELETE: short enough not to hold SQLite's only writer
HINT_TIMEOUT_SECONDS = 1.0  # connecting to the broker and sending, since a customer waits meanwhile
HINT_SILENCE_SECONDS = 10.0  # after a broker failed: nobody tries again so long, sweeps do the work

# Ledger. Money is 64-bit integers of 10^-6, so nothing above 9.2 * 10^12 can be stored: the caps stay far below it.
LEDGER_MAX_AMOUNT = Decimal(10**9)  # one transfer; more is a slip of the keyboard, in any currency
LEDGER_MAX_BALANCE = Decimal(10**12)  # one wallet; with it, no sum of balance and amount can overflow
LEDGER_MAX_POSTINGS = 25_000  # one batch: two for each of ten thousand orders, with room
LEDGER_CHECKPOINT_AGE_MINUTES = 60  # a posting transaction must be shorter than half of this (see ledger/balances.py)
LEDGER_STATEMENT_MAX_LINES = 1_000  # one page of a statement, and what an export holds in memory
