"""The service types of API v2: one declaration each, read by forms, validation, pricing, submission and the API.

A new type is one entry here. A spelling that is not here is kept as the provider wrote it and never sold: guessing
"Default" would sell something else. Source: the dialect's table of types and the parameters of `add`.
How a line is read by a declaration is in `catalog.reading`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from django.utils.translation import gettext_noop as N_


class Kind(Enum):
    """What a field takes; forms pick their input by it, `catalog.reading` its check."""

    LINK = "link"  # http(s), or a bare handle where the field says so
    INTEGER = "integer"
    LINES = "lines"  # one entry a line; a comma is part of the entry
    TEXT = "text"
    USERNAME = "username"
    HASHTAG = "hashtag"
    URL = "url"  # http(s) only
    CHOICE = "choice"
    DATE = "date"  # d/m/Y


class Quantity(Enum):
    """Where an order's quantity comes from."""

    GIVEN = "given"
    LINES = "lines"  # the number of lines of the field `counted`
    NONE = "none"  # a package: one, and indivisible
    RESERVED = "reserved"  # the most that may be delivered; what was is settled at the end


class Charged(Enum):
    """What the charge is computed from."""

    QUANTITY = "quantity"  # ⌈rate × quantity ÷ 1000⌉
    PACKAGE = "package"  # the rate itself
    DELIVERED = "delivered"  # held in full, taken by what was delivered


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter of `add`, as it is asked for and as it is sent (`name` is the provider's parameter)."""

    name: str
    label: str
    kind: Kind
    required: bool = True
    least: int | None = None  # of an integer
    most: int | None = None
    cap: str = ""  # the setting that names the most of an integer
    limited: bool = False  # lies within the service's own limits and is a multiple of its step
    handle: bool = False  # a link may also be a bare handle: @name
    choices: tuple[tuple[str, str], ...] = ()
    when: tuple[str, str] | None = None  # asked for (and then required) only if another field has this value
    drip_feed: bool = False  # asked for only where the service may be ordered in runs
    help: str = ""

    @property
    def many(self) -> bool:
        """Whether its label is a plural: a sentence about it has another verb."""
        return self.kind is Kind.LINES or self.name in ("posts", "interval")


@dataclass(frozen=True, slots=True)
class ServiceType:
    """A type: what is asked, how the quantity is found, what is charged. `fields` are in the order they are sent."""

    key: str
    label: str
    fields: tuple[Field, ...]
    quantity: Quantity
    charged: Charged
    counted: str = ""  # the field whose lines are the quantity

    @property
    def by_post(self) -> bool:
        """A subscription: it follows a user, and is delivered, held and paid post by post."""
        return self.quantity is Quantity.RESERVED

    @property
    def has_link(self) -> bool:
        """A subscription has none: it follows a username."""
        return any(field.name == "link" for field in self.fields)

    @property
    def in_posts(self) -> bool:
        """Whether it follows a user's posts: a subscription."""
        return self.quantity is Quantity.RESERVED

    @property
    def in_runs(self) -> bool:
        """Whether an order of it may be divided into runs: a drip-feed."""
        return any(field.drip_feed for field in self.fields)

    def field(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)


def _lines(name: str, label: str, help: str) -> Field:
    return Field(name, label, Kind.LINES, help=help)


HANDLE = Field(
    "link", N_("Link"), Kind.LINK, handle=True, help=N_("A full link, or a username where the service takes one."),
)  # fmt: skip
PAGE = Field("link", N_("Link"), Kind.LINK, help=N_("A full link that starts with https://."))
QUANTITY = Field("quantity", N_("Quantity"), Kind.INTEGER, least=1, limited=True)
COMMENTS = _lines("comments", N_("Comments"), N_("One comment a line."))
USERNAMES = _lines("usernames", N_("Usernames"), N_("One username a line."))
HASHTAGS = _lines("hashtags", N_("Hashtags"), N_("One hashtag a line."))
RUNS = Field(
    "runs", N_("Runs"), Kind.INTEGER, required=False, drip_feed=True, cap="MAX_RUNS",
    help=N_("Leave empty to get all at once. With runs, the quantity is delivered again in each of them."),
)  # fmt: skip
INTERVAL = Field(
    "interval", N_("Minutes between runs"), Kind.INTEGER, required=False, drip_feed=True, cap="MAX_INTERVAL_MINUTES",
    help=N_("Minutes between the beginnings of two runs. Goes with runs."),
)  # fmt: skip
DELAYS = (0, 5, 10, 15, 20, 30, 40, 50, 60, 90, 120, 150, 180, 210, 240, 270, 300, 360, 420, 480, 540, 600)
DEVICES = (
    ("1", N_("Desktop")), ("2", N_("Mobile (Android)")), ("3", N_("Mobile (iOS)")), ("4", N_("Mixed mobile")),
    ("5", N_("Mixed")),
)  # fmt: skip
TRAFFIC = (("1", N_("Google keyword")), ("2", N_("Custom referrer")), ("3", N_("Blank referrer")))


def _given(key: str, label: str, *fields: Field, link: Field = HANDLE) -> ServiceType:
    return ServiceType(key, label, (link, QUANTITY, *fields), Quantity.GIVEN, Charged.QUANTITY)


def _counted(key: str, label: str, counted: str, *fields: Field, link: Field = PAGE) -> ServiceType:
    return ServiceType(key, label, (link, *fields), Quantity.LINES, Charged.QUANTITY, counted=counted)


def _package(key: str, label: str, *fields: Field, link: Field) -> ServiceType:
    return ServiceType(key, label, (link, *fields), Quantity.NONE, Charged.PACKAGE)


_ALL = (
    _given("default", N_("Default"), RUNS, INTERVAL),
    _package("package", N_("Package"), link=HANDLE),
    _given("seo", N_("SEO"), _lines("keywords", N_("Keywords"), N_("One keyword a line.")), link=PAGE),
    _counted("custom_comments", N_("Custom Comments"), "comments", COMMENTS),
    _package("custom_comments_package", N_("Custom Comments Package"), COMMENTS, link=PAGE),
    _given("mentions", N_("Mentions"), USERNAMES),
    _given("mentions_with_hashtags", N_("Mentions with Hashtags"), USERNAMES, HASHTAGS),
    _counted("mentions_custom_list", N_("Mentions Custom List"), "usernames", USERNAMES, link=HANDLE),
    _given(
        "mentions_hashtag", N_("Mentions Hashtag"),
        Field("hashtag", N_("Hashtag"), Kind.HASHTAG, help=N_("Usernames are taken from its posts.")),
    ),
    _given(
        "mentions_user_followers", N_("Mentions User Followers"),
        Field("username", N_("Username"), Kind.LINK, handle=True, help=N_("Whose followers: a username or a link.")),
    ),
    _given(
        "mentions_media_likers", N_("Mentions Media Likers"),
        Field("media", N_("Media link"), Kind.URL, help=N_("The post whose likers are mentioned.")),
    ),
    _given(
        "comment_likes", N_("Comment Likes"),
        Field("username", N_("Username"), Kind.USERNAME, help=N_("Who wrote the comment.")),
        link=PAGE,
    ),
    _counted(
        "comment_replies", N_("Comment Replies"), "comments",
        Field("username", N_("Username"), Kind.USERNAME, help=N_("Who wrote the comment.")), COMMENTS,
    ),
    _given(
        "poll", N_("Poll"), Field("answer_number", N_("Answer number"), Kind.INTEGER, least=1, most=1000), link=PAGE
    ),
    _given("invites_from_groups", N_("Invites from Groups"), _lines("groups", N_("Groups"), N_("One group a line."))),
    ServiceType(
        "subscriptions", N_("Subscriptions"),
        (
            Field("username", N_("Username"), Kind.USERNAME),
            Field("min", N_("Least per post"), Kind.INTEGER, least=1, limited=True),
            Field("max", N_("Most per post"), Kind.INTEGER, least=1, limited=True),
            Field(
                "posts", N_("New posts"), Kind.INTEGER, required=False, cap="MAX_POSTS",
                help=N_("How many posts from now on."),
            ),
            Field(
                "old_posts", N_("Old posts"), Kind.INTEGER, required=False, least=0, cap="MAX_POSTS",
                help=N_("How many posts that exist already get theirs too. No more is held for them."),
            ),
            Field(
                "delay", N_("Delay"), Kind.CHOICE, choices=tuple((str(m), f"{m} minutes") for m in DELAYS),
                help=N_("Between a post and its delivery."),
            ),
            Field(
                "expiry", N_("Expires"), Kind.DATE, required=False,
                help=N_("Day/month/year. Empty: with the last post."),
            ),
        ),
        Quantity.RESERVED, Charged.DELIVERED,
    ),
    _given(
        "web_traffic", N_("Web Traffic"),
        Field("country", N_("Country"), Kind.TEXT),
        Field("device", N_("Device"), Kind.CHOICE, choices=DEVICES),
        Field("type_of_traffic", N_("Type of traffic"), Kind.CHOICE, choices=TRAFFIC),
        Field("google_keyword", N_("Google keyword"), Kind.TEXT, when=("type_of_traffic", "1")),
        Field("referring_url", N_("Referring link"), Kind.URL, when=("type_of_traffic", "2")),
        link=PAGE,
    ),
)  # fmt: skip

SERVICE_TYPES: Mapping[str, ServiceType] = {kind.key: kind for kind in _ALL}


def _letters(spelling: str) -> str:
    """Case, spaces, `_` and `-` do not count; anything else does: "Default 2" is not Default."""
    return re.sub(r"[\s_-]+", "", spelling.casefold())


_BY_LETTERS = {_letters(kind.key): kind for kind in _ALL}
ORDERABLE_KEYS = tuple(SERVICE_TYPES)
BY_POST_KEYS = tuple(kind.key for kind in _ALL if kind.by_post)
assert all(kind.by_post == (kind.charged is Charged.DELIVERED) for kind in _ALL), "what is held is reserved"


def service_type(spelling: str) -> ServiceType | None:
    """The type a provider means, or None for a word that is not in the table."""
    return _BY_LETTERS.get(_letters(spelling))


def same_type(one: str, other: str) -> bool:
    """Whether two spellings mean the same, known or not."""
    return _letters(one) == _letters(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentLine:
    """What a line sends beside its service: `quantity` in all, `runs` where the provider is to divide it by itself."""

    link: str
    quantity: int | None
    details: Mapping[str, str]
    runs: int | None = None
    interval: int | None = None


def add_fields(kind: ServiceType, line: SentLine, *, external_id: str) -> dict[str, str]:
    """Exactly the parameters of `add` for this line, beside `key` and `action`, in the declaration's order."""
    values = {**line.details, "link": line.link}
    if kind.quantity is Quantity.GIVEN:
        assert line.quantity is not None
        values["quantity"] = str(line.quantity // (line.runs or 1))
    if line.runs is not None:
        values |= {"runs": str(line.runs), "interval": str(line.interval)}
    sent = {field.name: values[field.name] for field in kind.fields if values.get(field.name, "") != ""}
    return {"service": external_id, **sent}
