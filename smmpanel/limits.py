"""The limits of the rooms and what else they let an operator choose, a block a room, each with its reason.

Part of the settings: read them through `django.conf.settings`. A limit that an operator may want to move comes from the
environment; one that other code relies on is a constant.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from smmpanel.environment import env

# Providers: requests to upstream panels
# Names, addresses, networks; http for these alone.
PROVIDER_PRIVATE_HOSTS = env.list("PROVIDER_PRIVATE_HOSTS", default=[])
PROVIDER_CA_FILE = env("PROVIDER_CA_FILE", default="")  # authorities to trust instead of certifi's, as a PEM file
# Pooled sessions a process keeps; beyond, the least used goes.
PROVIDER_SESSIONS = env.limit("PROVIDER_SESSIONS", 64)
PROVIDER_MAX_BODY_BYTES = env.limit("PROVIDER_MAX_BODY_BYTES", 2_000_000)  # 100 statuses are 20 kB
PROVIDER_MAX_SERVICES_BYTES = env.limit("PROVIDER_MAX_SERVICES_BYTES", 20_000_000)  # 20,000 services are 10 MB
PROVIDER_MAX_HEAD_BYTES = env.limit("PROVIDER_MAX_HEAD_BYTES", 200_000)  # status line, headers, chunk sizes
# An order's connection is fresh.
PROVIDER_ADD_MAX_IDLE_SECONDS = env.limit("PROVIDER_ADD_MAX_IDLE_SECONDS", 1.0)
PROVIDER_READ_MAX_IDLE_SECONDS = env.limit("PROVIDER_READ_MAX_IDLE_SECONDS", 4.0)  # servers close after 5 s
PROVIDER_ADD_PATIENCE_SECONDS = env.limit("PROVIDER_ADD_PATIENCE_SECONDS", 5.0)  # for a place within the limits
PROVIDER_READ_PATIENCE_SECONDS = env.limit("PROVIDER_READ_PATIENCE_SECONDS", 15.0)
PROVIDER_READ_ATTEMPTS = env.limit("PROVIDER_READ_ATTEMPTS", 3)  # of a read that was not sent; `add` has one
PROVIDER_READ_SHARE_PERCENT = env.limit("PROVIDER_READ_SHARE_PERCENT", 80)  # of the rate; the rest is for orders
PROVIDER_LIMITS_REDIS_TIMEOUT_SECONDS = env.limit("PROVIDER_LIMITS_REDIS_TIMEOUT_SECONDS", 1.0)
PROVIDER_LIMITS_RETRY_SECONDS = env.limit("PROVIDER_LIMITS_RETRY_SECONDS", 10)  # until Redis is tried again
PROVIDER_LONGEST_REST_MINUTES = 60  # between two trials of a provider that loses every order
PROVIDER_UNKNOWNS_BEFORE_PAUSE = env.limit("PROVIDER_UNKNOWNS_BEFORE_PAUSE", 5)  # in a row
# In PANEL_CURRENCY; below it the operator is told; 0: never.
PROVIDER_LOW_BALANCE = env("PROVIDER_LOW_BALANCE", cast=Decimal, default=Decimal(10))
# Providers round what they show.
PROVIDER_DRIFT_TOLERANCE = env("PROVIDER_DRIFT_TOLERANCE", cast=Decimal, default=Decimal("0.01"))

# Catalogue: what a line of an order may be
MAX_RATE = env("MAX_RATE", cast=Decimal, default=Decimal(1_000_000_000))  # "120481927710" is a sentinel, not a price
MAX_CHARGE = env("MAX_CHARGE", cast=Decimal, default=Decimal(1_000_000_000))  # of one order; far inside a 64-bit column
MAX_QUANTITY = env.limit("MAX_QUANTITY", 2_147_483_647)  # what providers write for "no maximum"
MAX_LINK_LENGTH = env.limit("MAX_LINK_LENGTH", 2000)  # the column's length; browsers stop there too
MAX_TEXT_LENGTH = env.limit("MAX_TEXT_LENGTH", 500)  # of a one-line field: a keyword, a country
MAX_LINES = env.limit("MAX_LINES", 10_000)  # comments, usernames … of one order
MAX_LINE_LENGTH = env.limit("MAX_LINE_LENGTH", 2200)  # the longest comment a network takes (Instagram)
MAX_LINES_LENGTH = env.limit("MAX_LINES_LENGTH", 400_000)  # of all together: one request holds them
MAX_RUNS = env.limit("MAX_RUNS", 1000)  # of one drip-feed
MAX_INTERVAL_MINUTES = env.limit("MAX_INTERVAL_MINUTES", 10_080)  # between two runs: a week
MAX_POSTS = env.limit("MAX_POSTS", 1000)  # of one subscription

PACE_MINUTES = env.limit("PACE_MINUTES", 10)  # how often the average times of services are brought up to date
PACE_ORDERS = env.limit("PACE_ORDERS", 10)  # the last finished ones that make a service's average time
PACE_LEAST_ORDERS = env.limit("PACE_LEAST_ORDERS", 3)  # fewer say nothing, and no time is shown

# portal: the customer's pages
LOGIN_URL = "portal:sign_in"
CSRF_FAILURE_VIEW = "portal.errors.stale_form"
PANEL_ACCENT = env.matching("PANEL_ACCENT", "#3157d5", r"#[0-9a-fA-F]{6}", "a colour of six digits, like #3157d5")
PUBLIC_PRICES = env.bool("PUBLIC_PRICES", True)  # whether visitors may read the price list and what changed in it
# Of one form in a browser, and at least of one call of the API; a list of a mass order comes in one, with its envelope.
UPLOAD_MAX_BYTES = env.limit("UPLOAD_MAX_BYTES", 10_000_000)  # a request with files; measured before one is kept
FORM_MAX_BYTES = env.limit("FORM_MAX_BYTES", 2_500_000)
PORTAL_CHOICE_COOKIE_AGE = 365 * 24 * 3600  # seconds a browser remembers a theme or a language that was chosen in it
PORTAL_POLL_SECONDS = 5  # how often a visible page asks for its live rows: orders move by the minute
PORTAL_ADDRESS_LENGTH = 2000  # characters of a form that an address carries: what browsers and proxies take
PORTAL_SERVICES_PAGE = 100  # services a page of the price list: a screen or three, some 60 KB
PORTAL_UPDATES_PAGE = 100  # news of the catalogue a page
PORTAL_LINKS_OFFERED = 10  # the customer's last links, offered where a link is typed
PORTAL_FAVOURITES = 200  # of a customer: more is the price list again
PORTAL_OFFERS_SHOWN = 60  # services under the search of a new order; more are found by typing on
PORTAL_ORDERS_PAGE = 50  # orders a page, and so the most rows that one poll asks for
PORTAL_SEARCH_IDS = 1_000  # of one search in the orders' list; what an address carries is less
PORTAL_COUNTED = 99  # orders of a status are counted so far, then it says 99+: nobody reads a number of many digits
PORTAL_RECENT_ORDERS = 500  # the newest, whose services the list's filter offers
PORTAL_ANSWERS_SHOWN = 10  # answers to be read that the list of orders names
PORTAL_CSV_ROWS = 1_000  # of an export: one query and one piece of the answer, some 200 kB
PORTAL_WISHES_PAGE = 50  # refills or cancellations a page
PORTAL_STATEMENT_PAGE = 50  # lines a page of the statement
PORTAL_NEWS_PAGE = 20  # announcements a page
PORTAL_PARTS = 50  # runs or posts on an order's page, the newest: who looks wants to see the last ones
PORTAL_RUNS_SHOWN = 50  # of a drip-feed, the newest: what is older has ended
PORTAL_CALLBACKS_PAGE = 50  # callback messages a page
PORTAL_CALLS_SHOWN = 50  # of the last API calls: what a person reads when a script does something odd
PORTAL_SESSIONS_SHOWN = 50  # devices on the account's page, the last used
PORTAL_STORY_LINES = 200  # of what happened to an order, the newest: how it ended is never left out

# Catalogue: markup and imports
DEFAULT_MARKUP_PERCENT = env("DEFAULT_MARKUP_PERCENT", cast=Decimal, default=Decimal(20))  # where no rule was made yet
# 0–1; below it an id means something else now.
IMPORT_NAME_SIMILARITY = env.limit("IMPORT_NAME_SIMILARITY", 0.5)
IMPORT_PRICE_RISE = env("IMPORT_PRICE_RISE", cast=Decimal, default=Decimal(2))  # times; above it a person looks first
IMPORT_PRICE_FALL = env("IMPORT_PRICE_FALL", cast=Decimal, default=Decimal("0.6"))  # the share that a price may lose
IMPORT_MOST_GONE = env("IMPORT_MOST_GONE", cast=Decimal, default=Decimal("0.3"))  # share; more is a broken answer
IMPORT_FEW_GONE = env.limit("IMPORT_FEW_GONE", 10, least=0)  # so few may always vanish, whatever their share
# Times a package's price for a unit may be that of its category, or a part of it; a wrong unit is off by a thousand.
IMPORT_PACKAGE_TIMES = env.limit("IMPORT_PACKAGE_TIMES", 20)
IMPORT_EVIDENCE_SERVICES = env.limit("IMPORT_EVIDENCE_SERVICES", 100)  # named in one attention item
CATALOGUE_UPDATES_DAYS = env.limit("CATALOGUE_UPDATES_DAYS", 90)  # customers read what is new, gone and repriced so far
CATALOGUE_SYNC_MINUTES = env.limit("CATALOGUE_SYNC_MINUTES", 30)  # providers change prices a few times a day
# Rows that say the catalogue has changed; more say no more, and to tell whether it has they are counted.
CATALOGUE_REVISIONS_KEPT = env.limit("CATALOGUE_REVISIONS_KEPT", 1000)

# Ledger. Money is 64-bit integers of 10^-6, so nothing above 9.2 * 10^12 can be stored: the caps stay far below it.
LEDGER_MAX_AMOUNT = Decimal(10**11)  # one transfer; more is a slip of the keyboard, in any currency
LEDGER_MAX_BALANCE = Decimal(10**12)  # one wallet; with it, no sum of balance and amount can overflow
LEDGER_MAX_POSTINGS = 25_000  # one batch: two for each of ten thousand orders, with room
LEDGER_CHECKPOINT_AGE_MINUTES = 60  # a posting transaction must be shorter than half of this (see ledger/balances.py)
LEDGER_STATEMENT_MAX_LINES = 1_000  # one page of a statement, and what an export holds in memory

# orders: placing
ORDER_MAX_LINES = env.limit("ORDER_MAX_LINES", 10_000)  # one placing is one transaction
MASS_MAX_LINES = env.limit("MASS_MAX_LINES", 10_000)  # of one list; at most ORDER_MAX_LINES, for all or none
MASS_MAX_BYTES = env.limit("MASS_MAX_BYTES", 2_000_000)  # of one list, pasted or uploaded: 200 a line
MASS_CHUNK_LINES = env.limit("MASS_CHUNK_LINES", 500)  # placed in one commit, and at once; the rest by a job
MASS_KEPT = env.limit("MASS_KEPT", 50)  # lists a customer looks back at; older ones that are not being placed go
MASS_LINES_SHOWN = 200  # a page of a list
# As long as a form may be sent again without a second order.
ORDER_TOKEN_HOURS = env.limit("ORDER_TOKEN_HOURS", 72)
# orders: sending
# A claim alone is harmless: long enough for a slow lane.
ORDER_CLAIM_SECONDS = env.limit("ORDER_CLAIM_SECONDS", 60.0)
ORDER_CLAIM_BATCH = env.limit("ORDER_CLAIM_BATCH", 4)  # of one lane: few, so that lanes end together
ORDER_LEASE_MARGIN_SECONDS = env.limit("ORDER_LEASE_MARGIN_SECONDS", 30.0)  # beyond the request's own deadline
ORDER_RETRY_FIRST_SECONDS = env.limit("ORDER_RETRY_FIRST_SECONDS", 5.0)  # doubled each time nothing was sent
ORDER_RETRY_LONGEST_SECONDS = env.limit("ORDER_RETRY_LONGEST_SECONDS", 600.0)
# Until an active link is tried again.
ORDER_DUPLICATE_LINK_MINUTES = env.limit("ORDER_DUPLICATE_LINK_MINUTES", 10)
ORDER_HELD_LOOK_MINUTES = env.limit("ORDER_HELD_LOOK_MINUTES", 5)  # between two looks at a held order
ORDER_HELD_HOURS = env.limit("ORDER_HELD_HOURS", 24)  # then the money goes back by itself
# orders: following
ORDER_SYNC_BANDS = [  # (name, up to this age, asked every): fresh orders change most
    ("new", timedelta(minutes=15), timedelta(seconds=15)),
    ("fresh", timedelta(hours=6), timedelta(minutes=2)),
    ("recent", timedelta(days=3), timedelta(minutes=15)),
    ("old", None, timedelta(hours=2)),
]
# Child orders of a subscription or a drip-feed: of one order, and asked for in one batch of orders.
PARTS_MOST = 2_000  # twice the most runs or posts that are sold; more are no children of it
PARTS_ASK_MOST = 2_000  # twenty requests; the others' turn comes with the next sweeps
# After an end is told: child orders of a subscription end within a day or two; then a person looks.
PARTS_WAIT_HOURS = env.limit("PARTS_WAIT_HOURS", 48)
# After an order should have ended: longer than the wait for its parts, so that what settles by itself has settled.
ORDER_OVERDUE_HOURS = env.limit("ORDER_OVERDUE_HOURS", 96)
# Answers without an order: a provider's bad hour is none of its orders' errors, a day of it is a person's.
ORDER_ABSENT_HOURS = env.limit("ORDER_ABSENT_HOURS", 24)
ORDER_ASK_AGAIN_DAYS = [1, 3, 7, 30]  # after an order's end: drops and late refunds show within a month
ORDER_SWEEP_ROWS = env.limit("ORDER_SWEEP_ROWS", 500)  # of one kind in one run of a tidying job
# A provider may work off a request late.
RECONCILE_SETTLING_SECONDS = env.limit("RECONCILE_SETTLING_SECONDS", 900.0)
RECONCILE_REST_HOURS = 6  # at most between two looks at one unknown order
RECONCILE_MOST_IDS = env.limit("RECONCILE_MOST_IDS", 2000)  # twenty requests; a wider gap is a person's
# Of orders and refills, after a restore: more than were placed since the backup, whose numbers are known outside.
RESTORE_SKIPS_NUMBERS = env.limit("RESTORE_SKIPS_NUMBERS", 100_000)
CANCEL_BATCH = env.limit("CANCEL_BATCH", 50)  # ids in one cancel request, where the provider takes many
CANCEL_RETRY_SECONDS = env.limit("CANCEL_RETRY_SECONDS", 30.0)  # a lost cancel may be asked again
CANCEL_UNANSWERED_HOURS = env.limit("CANCEL_UNANSWERED_HOURS", 48)  # then it is the operator's

# records: background jobs and what is kept of them
# A turn's time: under the sweeps' minute, and far under the broker's visibility timeout.
# Without a message for so long, a worker looks for due work by itself: the scheduler is never quiet for a minute.
WORKER_SILENCE_SECONDS = env.limit("WORKER_SILENCE_SECONDS", 60.0)
JOB_BUDGET_SECONDS = env.limit("JOB_BUDGET_SECONDS", 50.0)
JOB_RERUNS = 3  # turns a holder adds for those who found it busy, before the next message takes over
JOB_FAILURES_BEFORE_ATTENTION = 3  # one failure is often the network's; three in a row need a person
JOB_ERROR_CHARS = 8000  # of a stored exception with its traceback
JOB_RUNS_KEEP_DAYS = env.limit("JOB_RUNS_KEEP_DAYS", 14)
# Runs that found nothing to do are most rows and tell least.
JOB_RUNS_IDLE_KEEP_HOURS = env.limit("JOB_RUNS_IDLE_KEEP_HOURS", 24)
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
# Whether strangers may make an account. Without a mail server a public panel could not confirm their addresses.
OPEN_TO_THE_WORLD = bool(env("PUBLIC_URL", default="") or env("ALLOWED_HOSTS", default=""))
SIGN_UP = env.bool("SIGN_UP", default=bool(env("EMAIL_URL", default="")) or not OPEN_TO_THE_WORLD)
# Where the terms of service stand: shown, and to be agreed to, at sign-up. Empty: nothing is asked.
TERMS_URL = env.address("TERMS_URL", "", schemes=("https", "http"))
ACCOUNT_LINK_HOURS = env.limit("ACCOUNT_LINK_HOURS", 24)  # how long a link in a letter opens
PASSWORD_RESET_TIMEOUT = ACCOUNT_LINK_HOURS * 3600
LETTERS_ASKED_PER_HOUR = env.limit("LETTERS_ASKED_PER_HOUR", 3)  # to one address, of a kind that strangers can ask for
LETTER_FORMS_PER_HOUR = env.limit("LETTER_FORMS_PER_HOUR", 30)  # sent in from one visitor's address
LETTER_TRY_HOURS = env.limit("LETTER_TRY_HOURS", 12)  # while a mail server is down; then a letter is too old
LETTER_RETRY_SECONDS = [30, 120, 600, 1800]  # after each failed try; then the last again
LETTER_BATCH = 50  # letters a connection
# Failed sign-ins at one account from anywhere within the cool-off: then strangers wait, known browsers do not.
SIGN_IN_STRANGERS = env.limit("SIGN_IN_STRANGERS", 30)
KNOWN_BROWSER_DAYS = env.limit("KNOWN_BROWSER_DAYS", 180)  # since it signed in last
SECOND_STEP_SECONDS = 600  # between the password and the code: long enough to find the phone
MFA_ADAPTER = "accounts.second_factor.Adapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_TOLERANCE = 1  # periods of 30 s before and after: clocks of phones differ
SESSION_SEEN_SECONDS = 300  # how exactly the list of devices says when each was used last
LETTER_KEEP_DAYS = env.limit("LETTER_KEEP_DAYS", 7)  # what was sent to whom, never its text
API_KEY_ADDRESSES = 50  # of one key
API_KEYS_PER_CUSTOMER = 20  # a script or a tool each; more are forgotten ones
API_KEY_OVERLAPS_HOURS = (0, 1, 24, 72, 168)  # how long a rotated key still opens: a deployment, a weekend, a week
# Longer, and two orders that were both meant are taken for one.
API_REPEAT_MOST_SECONDS = 86_400
API_KEY_LAST_USED_SECONDS = 60  # scripts call many times a second: "last used" is written at most this often

# api: the reseller API
# Calls a minute and key; 0: no limit. Many scripts poll one id a call.
API_RATE_LIMIT = env.limit("API_RATE_LIMIT", 600, least=0)
API_ORDER_LIMIT = env.limit("API_ORDER_LIMIT", 300, least=0)  # the same for add, refill and cancel
API_BAD_KEY_LIMIT = env.limit("API_BAD_KEY_LIMIT", 30, least=0)  # wrong keys a minute and address; 0: no limit
API_MAX_BODY_BYTES = env.limit("API_MAX_BODY_BYTES", 2_400_000)  # the longest comments of one order, encoded
API_MAX_FIELDS = env.limit("API_MAX_FIELDS", 200)  # of one call; the longest has ten
API_MAX_IDS = env.limit("API_MAX_IDS", 100)  # of one status, refill, refill_status or cancel: what API v2 says
API_IDEMPOTENCY_KEY_LENGTH = 200  # characters; a UUID has 36
API_LIMITS_REDIS_TIMEOUT_SECONDS = env.limit("API_LIMITS_REDIS_TIMEOUT_SECONDS", 1.0)
API_LIMITS_RETRY_SECONDS = env.limit("API_LIMITS_RETRY_SECONDS", 10)  # until Redis is tried again
API_LOGGED_CALLS = env.limit("API_LOGGED_CALLS", 200)  # the last ones of each customer
API_LOGGED_DAYS = env.limit("API_LOGGED_DAYS", 7)  # after a customer's last call

# callbacks: what happens to orders, told to customers' own servers
# Names, addresses, networks of customers' receivers; http for these alone. Not the providers' list: customers choose.
CALLBACK_PRIVATE_HOSTS = env.list("CALLBACK_PRIVATE_HOSTS", default=[])
CALLBACK_ADDRESSES_PER_CUSTOMER = env.limit("CALLBACK_ADDRESSES_PER_CUSTOMER", 5)  # every change goes to each of them
CALLBACK_CONNECT_SECONDS = env.limit("CALLBACK_CONNECT_SECONDS", 5.0)
CALLBACK_DEADLINE_SECONDS = env.limit("CALLBACK_DEADLINE_SECONDS", 10.0)  # a receiver notes, answers, works later
CALLBACK_LEASE_MARGIN_SECONDS = 30.0  # beyond the deadline: for writing back what came
CALLBACK_MAX_IDLE_SECONDS = 4.0  # servers close after 5 s
CALLBACK_MAX_ANSWER_BYTES = 64_000  # nobody reads it
CALLBACK_PLACES = env.limit("CALLBACK_PLACES", 4)  # messages on their way to one address at once
CALLBACK_BATCH = 100  # messages read at once
CALLBACK_RETRY_SECONDS = [5, 30, 120, 600, 1800, 3600, 7200]  # after each failed try of a message; then the last again
# At most so long a receiver's Retry-After is heard.
CALLBACK_LONGEST_WAIT_SECONDS = env.limit("CALLBACK_LONGEST_WAIT_SECONDS", 7200)
CALLBACK_RETRY_HOURS = env.limit("CALLBACK_RETRY_HOURS", 24)  # then a message is parked
CALLBACK_FAILURES_BEFORE_REST = 3  # rounds without a delivery: then an address gets one message at a time, with rests
CALLBACK_REST_SECONDS = 30  # the first rest, doubled each time
CALLBACK_LONGEST_REST_SECONDS = 600  # so soon an address that works again is found
CALLBACK_SECRET_OVERLAP_HOURS = env.limit("CALLBACK_SECRET_OVERLAP_HOURS", 24)  # signed with the old secret as well
CALLBACK_KEEP_DAYS = env.limit("CALLBACK_KEEP_DAYS", 14)  # messages stay to be looked at

# conversations: problems with orders
CONVERSATION_TEXT_LENGTH = env.limit("CONVERSATION_TEXT_LENGTH", 4_000)  # characters of one message
CONVERSATION_REPEAT_SECONDS = env.limit("CONVERSATION_REPEAT_SECONDS", 60)  # the same words again are one message
CONVERSATION_MESSAGES_AN_HOUR = env.limit("CONVERSATION_MESSAGES_AN_HOUR", 30)  # of one customer

# news: announcements
NEWS_ON_TOP = 3  # of a page, the newest: more would push its content out of sight; all stand on the page of news
NEWS_IN_FORCE = 50  # at once, the newest of which a customer is shown those that he has not put away
NEWS_QUIET_SECONDS = 15  # a process that found nothing to announce asks again after that

# operations: the operator's side
IMPORT_PREVIEW_MINUTES = env.limit("IMPORT_PREVIEW_MINUTES", 30)  # then a list is too old to be applied unseen
IMPORT_PREVIEW_ROWS = 50  # of each kind on the preview's first page: what is worth a look comes first
IMPORT_PREVIEW_PAGE = 200  # of one kind on a page of its own
OPERATIONS_RUNS = 100  # of a drip-feed, the newest
OPERATIONS_STORY_LINES = 500  # of one kind in an order's column of time
OPERATIONS_STATEMENT_PAGE = 50  # lines of a customer's statement
OPERATIONS_CALLS_SHOWN = 50  # of a customer's last API calls
DASHBOARD_ITEMS = 8  # of the attention list on the first screen; the rest is a click away

# metrics: what /metrics reads in one answer
METRICS_COUNTED = env.limit("METRICS_COUNTED", 100_000)  # rows of one count: then it says so many
METRICS_JOB_SCOPES = 500  # the jobs' scopes that ran last: two look-ups of an index each
METRICS_PROVIDERS = 200
