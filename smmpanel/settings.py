"""Settings of the panel, all from the environment (`.env.example` documents each).

What needs more than a line lives beside this file: reading and refusing values (environment.py), the data folder's
paths (places.py), the database, the broker, what a page may load, logging; and the limits of the rooms (limits.py).
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from operations import look
from smmpanel import content_policy, mail
from smmpanel.broker import choose_broker
from smmpanel.databases import database_settings
from smmpanel.environment import BadSetting, env
from smmpanel.limits import *  # noqa: F403
from smmpanel.logo import logo_setting
from smmpanel.logs import FORMATS, LEVELS, logging_settings
from smmpanel.places import Places

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env("PANEL_DATA_DIR", default=str(BASE_DIR / ".data"))).expanduser().resolve()
PLACES = Places(DATA_DIR)

# What it is called and what it counts in
PANEL_NAME = env("PANEL_NAME", default="smmpanel")
PANEL_LOGO = logo_setting(env, DATA_DIR)
DEPOSIT_INSTRUCTIONS = env("DEPOSIT_INSTRUCTIONS", default="").replace("\\n", "\n").strip()
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
# Whether nobody but this machine reaches it: the demo as `make run` starts it.
LOCAL = {HOST, urlsplit(PUBLIC_URL).hostname or "", *ALLOWED_HOSTS} <= LOOPBACK and not TRUSTED_PROXIES

# Mail: EMAIL_URL names the server; without one, letters are kept as files and a line of the log says where.
EMAIL = mail.email_settings(env)
EMAIL_BACKEND, EMAIL_HOST, EMAIL_PORT = EMAIL.backend, EMAIL.host, EMAIL.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = EMAIL.user, EMAIL.password
EMAIL_USE_TLS, EMAIL_USE_SSL, EMAIL_TIMEOUT = EMAIL.starttls, EMAIL.tls, 20
EMAIL_FILE_PATH = str(PLACES.mail)
DEFAULT_FROM_EMAIL = env("EMAIL_FROM", default=f"no-reply@{urlsplit(PUBLIC_URL).hostname}")

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
    "callbacks",
    "catalog",
    "orders",
    "conversations",
    "news",
    "api",
    "portal",
    "operations",
    "smmpanel",
    "accounts.apps.AllauthAddresses",
    "allauth.mfa",
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
    "portal.locale.Locale",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "operations.two_factor.SecondFactorFirst",
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
PG_CLIENT_DIR = env("PG_CLIENT_DIR", default="")  # where pg_dump, pg_restore and psql are; empty: on PATH
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
STAFF_TWO_FACTOR = env.bool("STAFF_TWO_FACTOR", default=not (PANEL_DEMO and LOCAL))
if not (STAFF_TWO_FACTOR or LOCAL):
    raise BadSetting("STAFF_TWO_FACTOR", "is off, and the panel can be reached from elsewhere: staff need it there.")
AXES_LOCKOUT_PARAMETERS = [["ip_address", "username"]]
AXES_FAILURE_LIMIT = env.number("SIGN_IN_ATTEMPTS", 8, least=1, most=1000)
AXES_COOLOFF_TIME = timedelta(minutes=env.number("SIGN_IN_COOL_OFF_MINUTES", 15, least=1, most=10_080))
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # trying on must not lock a customer out for ever
AXES_DISABLE_ACCESS_LOG = True  # who signed in belongs to the audit trail
AXES_USERNAME_FORM_FIELD = "username"
AXES_USERNAME_CALLABLE = "accounts.visitors.name_tried"
AXES_CLIENT_IP_CALLABLE = "accounts.visitors.client_address"
AXES_LOCKOUT_CALLABLE = "portal.sign_in.locked_out"
AXES_VERBOSE = False
# A failed form is kept with stars for what was typed: a wrong password is mostly a right one with a letter amiss
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "present", "code", "secret", "again", "csrfmiddlewaretoken"]

# What browsers are told
CONTENT_SECURITY_POLICY = {"DIRECTIVES": content_policy.PANEL}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_ENGINE = "accounts.session_store"
SESSION_COOKIE_AGE = timedelta(days=14).total_seconds()
# Browsers keep cookies by host alone: two panels on one machine need names of their own. __Host- binds them to one
# host.
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else f"session_{PORT}"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else f"csrf_{PORT}"
if HTTPS:
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz(/live|/ready)?$", r"^metrics$"]
    SECURE_HSTS_SECONDS = env.number("HSTS_SECONDS", 31_536_000, least=0, most=63_072_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("HSTS_SUBDOMAINS", default=True)
    SECURE_HSTS_PRELOAD = env.bool("HSTS_PRELOAD", default=False)
    if TRUSTED_PROXIES:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Preloading binds a whole domain for months, and only its owner can decide that: HSTS_PRELOAD=1 when they did.
SILENCED_SYSTEM_CHECKS = ["security.W021"]

# What one request may carry: more is answered by portal.errors.unreadable before any view sees it.
FILE_UPLOAD_HANDLERS = [
    "portal.uploads.Bounded",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
DATA_UPLOAD_MAX_MEMORY_SIZE = max(FORM_MAX_BYTES, MASS_MAX_BYTES + 100_000, API_MAX_BODY_BYTES)  # noqa: F405

# Language and time
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ru", "Русский")]  # each in its own words
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_NAME = "language"
TIME_ZONE = env.choice("TIME_ZONE", "UTC", available_timezones())
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

# Who may read /metrics; empty: nobody
METRICS_TOKEN = env("METRICS_TOKEN", default="")

# Logging
LOGGING = logging_settings(
    form=env.choice("LOG_FORMAT", "console", FORMATS), level=env.choice("LOG_LEVEL", "INFO", LEVELS)
)

# The demo's provider runs beside the panel
if PANEL_DEMO and PLACES.sandbox_port.exists():
    PROVIDER_PRIVATE_HOSTS = [*PROVIDER_PRIVATE_HOSTS, "127.0.0.1"]  # noqa: F405

# The look of the operator's side
UNFOLD = look.theme(name=PANEL_NAME, accent=PANEL_ACCENT, logo=PANEL_LOGO is not None)  # noqa: F405
