"""Settings of the panel, all from the environment (`.env.example` documents each).

What needs more than a line lives beside this file: reading and refusing values (environment.py), the data folder's
paths (places.py), the database, the broker, what a page may load, logging; and the limits of the rooms (limits.py).
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from operations import look
from smmpanel import content_policy
from smmpanel.broker import choose_broker
from smmpanel.databases import database_settings
from smmpanel.environment import BadSetting, env
from smmpanel.limits import *  # noqa: F403
from smmpanel.logs import FORMATS, LEVELS, logging_settings
from smmpanel.places import Places

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env("PANEL_DATA_DIR", default=str(BASE_DIR / ".data"))).expanduser().resolve()
PLACES = Places(DATA_DIR)

# What it is called and what it counts in
PANEL_NAME = env("PANEL_NAME", default="smmpanel")
PANEL_CURRENCY = env.matching("PANEL_CURRENCY", "USD", r"[A-Z]{3}", "a currency code of three capitals, like USD")
PANEL_DEMO = env.bool("PANEL_DEMO", default=True)  # for `make run` alone: load the demo and run the sandbox provider
DEBUG = env.bool("DEBUG", default=False)

# Where it is reached. A public host name without PUBLIC_URL means https: an open panel without it must be asked for.
HOST = env("HOST", default="127.0.0.1")
PORT = env.number("PORT", 8000, least=1, most=65_535)
LOOPBACK = {"127.0.0.1", "localhost", "::1", "[::1]"}
ALLOWED_HOSTS = env.each("ALLOWED_HOSTS", [], lambda host: host and "/" not in host, "host names with commas between")
PUBLIC_HOSTS = [host.removeprefix(".") for host in ALLOWED_HOSTS if host not in LOOPBACK | {"*"}]
PUBLIC_URL = env.address(
    "PUBLIC_URL",
    f"https://{PUBLIC_HOSTS[0]}" if PUBLIC_HOSTS else f"http://127.0.0.1:{PORT}",
    schemes=("https", "http"),
)
HTTPS = PUBLIC_URL.startswith("https://")
if not ALLOWED_HOSTS:
    PUBLIC_HOST = urlsplit(PUBLIC_URL).hostname or ""
    ALLOWED_HOSTS = [PUBLIC_HOST] if PUBLIC_HOST not in LOOPBACK else sorted(LOOPBACK)
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
# In front of us, one after another.
TRUSTED_PROXIES = env.number("TRUSTED_PROXIES", 1 if HTTPS else 0, least=0, most=10)

# Keys
SECRET_KEY = env("SECRET_KEY", default="")
if HTTPS and len(SECRET_KEY) < 50:
    raise BadSetting("SECRET_KEY", "is missing or shorter than 50 characters: a public panel needs a long random one.")
if not SECRET_KEY:
    SECRET_KEY = PLACES.read_or_make_key()
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])  # earlier ones: still read, never written with
# What the database's encrypted fields are salted with, the newest first. Not the secret key by default: a key that is
# rotated must not change the salt too, or nothing could be read any more.
SALT_KEY = env.list("SALT_KEYS", default=["smmpanel.encrypted-fields.1"])

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
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "axes",
    "csp",
]
MIDDLEWARE = [
    "smmpanel.request_ids.RequestIds",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "smmpanel.content_policy.ContentPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "smmpanel.urls"
WSGI_APPLICATION = "smmpanel.wsgi.application"
ADMIN_PATH = "admin/"
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
                "portal.frame.frame",
            ],
        },
    },
]

# Database. Requests are not transactions: each verb opens its own, as short as it can be.
DATABASES = {"default": {**database_settings(env, PLACES.database), "ATOMIC_REQUESTS": False}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if DATABASES["default"]["NAME"] == str(PLACES.database):
    DATA_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)

# Broker, cache, limits
BROKER = choose_broker(env, PLACES)
REDIS_URL = BROKER.url  # as redis-py reads it; empty when there is none, then limits and cache live in the process
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "smmpanel",
        "OPTIONS": {"socket_connect_timeout": 1.0, "socket_timeout": 2.0},
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

# Celery. A message only wakes a worker; what is to be done stands in the database. So a message is acknowledged as
# soon as it is taken (a worker that is killed loses a hint, which the next sweep makes good), and nothing is ever
# redelivered.
CELERY_BROKER_URL = BROKER.celery_url
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 2.0
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,  # seconds until messages a dead worker had taken ahead of their turn come back
    "socket_connect_timeout": 2.0,
    "socket_timeout": 15.0,
}
CELERY_TASK_ACKS_LATE = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "smmpanel"
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_POOL = "threads"  # jobs wait for providers and the database, not for the processor
CELERY_WORKER_CONCURRENCY = env.number("WORKER_THREADS", 8, least=1, most=200)
CELERY_WORKER_PREFETCH_MULTIPLIER = 1  # a message taken ahead would wait behind a slow provider
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_BEAT_SCHEDULER = "smmpanel.scheduler:JobScheduler"
CELERY_BEAT_SCHEDULE_FILENAME = str(PLACES.beat_schedule)
CELERY_BEAT_MAX_LOOP_INTERVAL = 5  # seconds, so that beat stops soon when told to

# Signing in. Locked is the pair of address and name: whoever guesses locks out himself, not the customer he guesses at.
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AXES_LOCKOUT_PARAMETERS = [["ip_address", "username"]]
AXES_FAILURE_LIMIT = env.number("SIGN_IN_ATTEMPTS", 8, least=1, most=1000)
AXES_COOLOFF_TIME = timedelta(minutes=env.number("SIGN_IN_COOL_OFF_MINUTES", 15, least=1, most=10_080))
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # trying on must not lock a customer out for ever
AXES_DISABLE_ACCESS_LOG = True  # who signed in belongs to the audit trail
AXES_USERNAME_FORM_FIELD = "username"
AXES_USERNAME_CALLABLE = "smmpanel.visitors.name_tried"
AXES_CLIENT_IP_CALLABLE = "smmpanel.visitors.client_address"
AXES_LOCKOUT_CALLABLE = "portal.sign_in.locked_out"
AXES_VERBOSE = False

# What browsers are told
CONTENT_SECURITY_POLICY = {"DIRECTIVES": content_policy.PANEL}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = timedelta(days=14).total_seconds()
# Browsers keep cookies by host alone: two panels on one machine need names of their own. __Host- binds them to one
# host.
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else f"session_{PORT}"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else f"csrf_{PORT}"
if HTTPS:
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
    SECURE_HSTS_SECONDS = env.number("HSTS_SECONDS", 31_536_000, least=0, most=63_072_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("HSTS_SUBDOMAINS", default=True)
    SECURE_HSTS_PRELOAD = env.bool("HSTS_PRELOAD", default=False)
    if TRUSTED_PROXIES:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Preloading binds a whole domain for months, and only its owner can decide that: HSTS_PRELOAD=1 when they did.
SILENCED_SYSTEM_CHECKS = ["security.W021"]

# Language and time
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

# Static files: named by their content, so that a browser may keep them for ever
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"] if (BASE_DIR / "static").is_dir() else []
STATIC_ROOT = Path(env("STATIC_ROOT", default=str(PLACES.static)))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG

# Logging
LOGGING = logging_settings(
    form=env.choice("LOG_FORMAT", "console", FORMATS), level=env.choice("LOG_LEVEL", "INFO", LEVELS)
)

# The demo's provider runs beside the panel
if PANEL_DEMO and PLACES.sandbox_port.exists():
    PROVIDER_PRIVATE_HOSTS = [*PROVIDER_PRIVATE_HOSTS, "127.0.0.1"]  # noqa: F405
    PROVIDER_PRIVATE_HOSTS = [*PROVIDER_PRIVATE_HOSTS, "127.0.0.1"]  # the demo's provider runs beside the panel

# Catalogue: what a line of an order may be
MAX_RATE = env("MAX_RATE", cast=Decimal, default=Decimal(1_000_000_000))  # "120481927710" is a sentinel, not a price
MAX_CHARGE = env("MAX_CHARGE", cast=Decimal, default=Decimal(1_000_000_000))  # of one order; far inside a 64-bit column
MAX_QUANTITY = env.int("MAX_QUANTITY", default=2_147_483_647)  # what providers write for "no maximum"
MAX_LINK_LENGTH = env.int("MAX_LINK_LENGTH", default=2000)  # the column's length; browsers stop there too
MAX_TEXT_LENGTH = env.int("MAX_TEXT_LENGTH", default=500)  # of a one-line field: a keyword, a country
MAX_LINES = env.int("MAX_LINES", default=10_000)  # comments, usernames … of one order
MAX_LINE_LENGTH = env.int("MAX_LINE_LENGTH", default=2200)  # the longest comment a network takes (Instagram)
MAX_LINES_LENGTH = env.int("MAX_LINES_LENGTH", default=400_000)  # of all together: one request holds them

# portal: the customer's pages
LOGIN_URL = "portal:sign_in"
LOGIN_REDIRECT_URL = "portal:new_order"  # for who signs in without having been on the way somewhere; it sends staff on
CSRF_FAILURE_VIEW = "portal.errors.stale_form"
PANEL_ACCENT = env.matching("PANEL_ACCENT", "#3157d5", r"#[0-9a-fA-F]{6}", "a colour of six digits, like #3157d5")
PORTAL_THEME_COOKIE_AGE = 365 * 24 * 3600  # seconds a pinned theme is remembered
PORTAL_POLL_SECONDS = 5  # how often a visible page asks for its live rows: orders move by the minute
PORTAL_SERVICES_PAGE = 100  # services a page of the price list: a screen or three, some 60 KB
PORTAL_OFFERS_SHOWN = 60  # services under the search of a new order; more are found by typing on
PORTAL_ORDERS_PAGE = 50  # orders a page, and so the most rows that one poll asks for
PORTAL_STATEMENT_PAGE = 50  # lines a page of the statement
PORTAL_STORY_LINES = 200  # of an order's story: one that goes on longer has a fault to be looked at elsewhere

# Catalogue: markup and imports
DEFAULT_MARKUP_PERCENT = env("DEFAULT_MARKUP_PERCENT", cast=Decimal, default=Decimal(20))  # where no rule was made yet
IMPORT_NAME_SIMILARITY = env.float("IMPORT_NAME_SIMILARITY", default=0.5)  # 0–1; below it an id means something else now
IMPORT_PRICE_RISE = env("IMPORT_PRICE_RISE", cast=Decimal, default=Decimal(2))  # times; above it a person looks first
IMPORT_PRICE_FALL = env("IMPORT_PRICE_FALL", cast=Decimal, default=Decimal("0.6"))  # the share that a price may lose
IMPORT_MOST_GONE = env("IMPORT_MOST_GONE", cast=Decimal, default=Decimal("0.3"))  # share; more is a broken answer
IMPORT_FEW_GONE = env.int("IMPORT_FEW_GONE", default=10)  # so few may always vanish, whatever their share
IMPORT_EVIDENCE_SERVICES = env.int("IMPORT_EVIDENCE_SERVICES", default=100)  # named in one attention item
CATALOGUE_SYNC_MINUTES = env.int("CATALOGUE_SYNC_MINUTES", default=30)  # providers change prices a few times a day

# operations: the operator's side
UNFOLD = look.theme(name=PANEL_NAME, accent=PANEL_ACCENT)
IMPORT_PREVIEW_MINUTES = env.int("IMPORT_PREVIEW_MINUTES", default=30)  # then a list is too old to be applied unseen
IMPORT_PREVIEW_ROWS = 50  # of each kind on the preview's first page: what is worth a look comes first
IMPORT_PREVIEW_PAGE = 200  # of one kind on a page of its own
OPERATIONS_STORY_LINES = 500  # of one kind in an order's column of time
OPERATIONS_STATEMENT_PAGE = 50  # lines of a customer's statement
DASHBOARD_ITEMS = 8  # of the attention list on the first screen; the rest is a click away

# Ledger. Money is 64-bit integers of 10^-6, so nothing above 9.2 * 10^12 can be stored: the caps stay far below it.
LEDGER_MAX_AMOUNT = Decimal(10**9)  # one transfer; more is a slip of the keyboard, in any currency
LEDGER_MAX_BALANCE = Decimal(10**12)  # one wallet; with it, no sum of balance and amount can overflow
LEDGER_MAX_POSTINGS = 25_000  # one batch: two for each of ten thousand orders, with room
LEDGER_CHECKPOINT_AGE_MINUTES = 60  # a posting transaction must be shorter than half of this (see ledger/balances.py)
LEDGER_STATEMENT_MAX_LINES = 1_000  # one page of a statement, and what an export holds in memory

# orders: placing
ORDER_MAX_LINES = env.int("ORDER_MAX_LINES", default=10_000)  # one placing is one transaction
ORDER_TOKEN_HOURS = env.int("ORDER_TOKEN_HOURS", default=72)  # as long as a form may be sent again without a second order
# orders: sending
ORDER_CLAIM_SECONDS = env.float("ORDER_CLAIM_SECONDS", default=300.0)  # a claim alone is harmless: long enough for a slow lane
ORDER_CLAIM_BATCH = env.int("ORDER_CLAIM_BATCH", default=4)  # of one lane: few, so that lanes end together
ORDER_LEASE_MARGIN_SECONDS = env.float("ORDER_LEASE_MARGIN_SECONDS", default=30.0)  # beyond the request's own deadline
ORDER_RETRY_FIRST_SECONDS = env.float("ORDER_RETRY_FIRST_SECONDS", default=5.0)  # doubled each time nothing was sent
ORDER_RETRY_LONGEST_SECONDS = env.float("ORDER_RETRY_LONGEST_SECONDS", default=600.0)
ORDER_DUPLICATE_LINK_MINUTES = env.int("ORDER_DUPLICATE_LINK_MINUTES", default=10)  # until an active link is tried again
ORDER_HELD_LOOK_MINUTES = env.int("ORDER_HELD_LOOK_MINUTES", default=5)  # between two looks at a held order
ORDER_HELD_HOURS = env.int("ORDER_HELD_HOURS", default=24)  # then the money goes back by itself
# orders: following
ORDER_SYNC_BANDS = [  # (name, up to this age, asked every): fresh orders change most
    ("new", timedelta(minutes=15), timedelta(seconds=15)),
    ("fresh", timedelta(hours=6), timedelta(minutes=2)),
    ("recent", timedelta(days=3), timedelta(minutes=15)),
    ("old", None, timedelta(hours=2)),
]
ORDER_ASK_AGAIN_DAYS = [1, 3, 7, 30]  # after an order's end: drops and late refunds show within a month
ORDER_SWEEP_ROWS = env.int("ORDER_SWEEP_ROWS", default=500)  # of one kind in one run of a tidying job
RECONCILE_SETTLING_SECONDS = env.float("RECONCILE_SETTLING_SECONDS", default=900.0)  # a provider may work off a request late
RECONCILE_MOST_IDS = env.int("RECONCILE_MOST_IDS", default=2000)  # twenty requests; a wider gap is a person's
CANCEL_BATCH = env.int("CANCEL_BATCH", default=50)  # ids in one cancel request, where the provider takes many
CANCEL_RETRY_SECONDS = env.float("CANCEL_RETRY_SECONDS", default=30.0)  # a lost cancel may be asked again
CANCEL_UNANSWERED_HOURS = env.int("CANCEL_UNANSWERED_HOURS", default=48)  # then it is the operator's

# records: background jobs and what is kept of them
# A turn's time: under the sweeps' minute, and far under the broker's visibility timeout.
JOB_BUDGET_SECONDS = env.float("JOB_BUDGET_SECONDS", default=50.0)
JOB_RERUNS = 3  # turns a holder adds for those who found it busy, before the next message takes over
JOB_FAILURES_BEFORE_ATTENTION = 3  # one failure is often the network's; three in a row need a person
JOB_ERROR_CHARS = 8000  # of a stored exception with its traceback
JOB_RUNS_KEEP_DAYS = env.int("JOB_RUNS_KEEP_DAYS", default=14)
# Runs that found nothing to do are most rows and tell least.
JOB_RUNS_IDLE_KEEP_HOURS = env.int("JOB_RUNS_IDLE_KEEP_HOURS", default=24)
RECORDS_TEXT_CHARS = 4000  # of one text inside evidence or an audit entry
RECORDS_PRUNE_BATCH = 2000  # rows a DELETE: short enough not to hold SQLite's only writer
RUN_JOBS_WAIT_SECONDS = 30.0  # how long `manage.py run_jobs` waits for a job that is running elsewhere
HINT_TIMEOUT_SECONDS = 1.0  # connecting to the broker and sending, since a customer waits meanwhile
HINT_SILENCE_SECONDS = 10.0  # after a broker failed: nobody tries again so long, sweeps do the work

# accounts: passwords, API keys, deposits
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
API_KEYS_PER_CUSTOMER = 20  # a script or a tool each; more are forgotten ones
API_KEY_LAST_USED_SECONDS = 60  # scripts call many times a second: "last used" is written at most this often
