"""docs/service-types.md, written from the declarations: what each type asks, charges, sends and keeps.

`make docs` writes it, and a test fails while the committed page says something else than the code.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings

from catalog.service_types import SERVICE_TYPES, Charged, Field, Kind, Quantity, ServiceType

TAKES = {
    Kind.LINK: "a link that starts with http(s)://",
    Kind.INTEGER: "a whole number, in digits",
    Kind.LINES: "one entry a line",
    Kind.TEXT: "one line of text",
    Kind.USERNAME: "a username: letters, digits, `.`, `-`, `_`, with or without `@`",
    Kind.HASHTAG: "one word, with or without `#`",
    Kind.URL: "a link that starts with http(s)://",
    Kind.CHOICE: "one of",
    Kind.DATE: "day/month/year, not in the past",
}
CHARGES = {
    Charged.QUANTITY: "⌈rate × quantity ÷ 1000⌉",
    Charged.PACKAGE: "the rate, whole",
    Charged.DELIVERED: "⌈rate × quantity ÷ 1000⌉ is held; what is delivered is charged at the end",
}
LIMITS = (
    ("MAX_RUNS", "runs of one drip-feed"),
    ("MAX_INTERVAL_MINUTES", "minutes between two runs"),
    ("MAX_POSTS", "posts of one subscription, and old posts"),
    ("MAX_QUANTITY", "in all: of every run, or the most of every post"),
    ("MAX_LINES", "lines of one field"),
    ("MAX_LINE_LENGTH", "characters of one line"),
    ("MAX_LINES_LENGTH", "characters of all lines together, as sent"),
    ("MAX_LINK_LENGTH", "characters of a link, and of any field of one line"),
    ("MAX_TEXT_LENGTH", "characters of a text"),
    ("MAX_CHARGE", "the charge of one order, in the panel's currency"),
)
HEAD = """\
# Service types

Written by `make docs` from the declarations in `catalog/service_types.py`: change those, not this page. Forms,
validation, pricing and submission read the same declarations, so a new type is one entry there and one row here. A
spelling is compared by its letters (without case, spaces, `_` and `-`). A type that is not in the table is kept as the
provider wrote it and cannot be ordered.

⌈ ⌉ is rounding up at the sixth decimal place. A parameter in [brackets] is sent only when it was filled in. Nothing
else is sent but `action` and `key`, after these, and the provider's idempotency parameter where it has one.
"""
LINES_AND_LINKS = """\
## Lines and links

- Lines are split at newlines only (`\\n` or `\\r\\n`): a comma is part of a comment. Each is trimmed, empty ones are
  dropped, and what is left is counted, priced and sent, joined by `\\n`.
- A link is http(s), or a bare handle (`@name`, `name`) where the table says so. It is sent as it was typed, shown as
  text and never fetched. A category may have a link rule of its own: a pattern, and an example for those whose link
  does not fit. None has by default.
- Control characters are refused everywhere.
- An empty value, and a zero in a number that may be left out, is as if the field were not there.
"""
DRIP_FEED = """\
## Drip-feed

A service that has it may be ordered in `runs`, with `interval` minutes between two. The quantity is that of *each* run
and lies within the service's limits; runs × quantity is priced once, when the order is placed. No runs, 0 and 1 mean
all at once, and the interval is then ignored. Where the provider has a drip-feed, `quantity` (of one run), `runs` and
`interval` are sent to it. Where it has none, the panel sends each run as an order of its own, without `runs` and
`interval`.
"""
SUBSCRIPTIONS = """\
## Subscriptions

They follow a username: there is no link. `min` and `max` lie within the service's limits, since each post is delivered
alone, and `max` is not below `min`. `max` × `posts` is held when the order is placed. `posts` may be left open only
where the operator gave the service a number for it (`open_posts`); that number is then held, and sent. The day of
`expiry` is the last.
"""


def render() -> str:
    """The whole page."""
    return "\n".join([HEAD, *_types(), "", *_fields(), "", LINES_AND_LINKS, DRIP_FEED, SUBSCRIPTIONS, *_limits(), ""])


def _types() -> Iterator[str]:
    yield "## The types"
    yield ""
    yield "| type | quantity | charge | sent to `add`, in this order | kept with the order |"
    yield "|---|---|---|---|---|"
    for kind in SERVICE_TYPES.values():
        yield f"| {kind.label} | {_quantity(kind)} | {CHARGES[kind.charged]} | {_sent(kind)} | {_kept(kind)} |"


def _quantity(kind: ServiceType) -> str:
    match kind.quantity:
        case Quantity.GIVEN:
            drip = any(field.drip_feed for field in kind.fields)
            return "given; runs × quantity with runs" if drip else "given"
        case Quantity.LINES:
            return f"the lines of `{kind.counted}`"
        case Quantity.NONE:
            return "none: one package, indivisible"
        case Quantity.RESERVED:
            return "max × posts, the most that may be delivered"


def _sent(kind: ServiceType) -> str:
    names = (f"`{field.name}`" if _always(field) else f"[`{field.name}`]" for field in kind.fields)
    return ", ".join(["`service`", *names])


def _always(field: Field) -> bool:
    return (field.required or field.name == "posts") and field.when is None  # open posts are sent with their number


def _kept(kind: ServiceType) -> str:
    """Columns of their own for what every order has; the rest in `details`, as it is sent."""
    own = ["link" if kind.has_link else "username as link"]
    own += ["quantity"] if kind.quantity is not Quantity.NONE else []
    own += [field.name for field in kind.fields if field.drip_feed]
    details = [field.name for field in kind.fields if field.name not in own]
    return ", ".join(own) + (f"; details: {', '.join(details)}" if details else "")


def _fields() -> Iterator[str]:
    yield "## The fields"
    yield ""
    yield "| type | parameter | asked as | takes | must be there | limits |"
    yield "|---|---|---|---|---|---|"
    for kind in SERVICE_TYPES.values():
        for field in kind.fields:
            cells = (kind.label, f"`{field.name}`", field.label, _takes(field), _needed(field), _bounds(kind, field))
            yield f"| {' | '.join(cells)} |"


def _takes(field: Field) -> str:
    takes = TAKES[field.kind]
    if field.handle:
        takes += ", or a username"
    if field.kind is Kind.CHOICE:
        plain = all(label == f"{value} minutes" for value, label in field.choices)
        named = (value if plain else f"{value} ({label})" for value, label in field.choices)
        takes += f" {', '.join(named)}{' minutes' if plain else ''}"
    return takes


def _needed(field: Field) -> str:
    if field.when is not None:
        other, value = field.when
        return f"only with `{other}` = {value}"
    if field.name == "interval":
        return "with runs"
    if field.name == "posts":
        return "unless the service names a number"
    if field.drip_feed:
        return "no; only where the service has drip-feed"
    return "yes" if field.required else "no"


def _bounds(kind: ServiceType, field: Field) -> str:
    bounds = []
    if field.limited:
        bounds.append("the service's min, max and step")
    if field.name == kind.counted:
        bounds.append("lines within the service's min, max and step")
    if field.least is not None and not field.limited:
        bounds.append(f"at least {field.least}")
    if field.most is not None:
        bounds.append(f"at most {field.most:,}")
    if field.cap:
        bounds.append(f"at most `{field.cap}`")
    if field.kind is Kind.TEXT:
        bounds.append("`MAX_TEXT_LENGTH` characters")
    return "; ".join(bounds) or "—"


def _limits() -> Iterator[str]:
    yield "## Limits"
    yield ""
    yield "Settings, from the environment; these are the defaults. What is beyond them is refused, never cut."
    yield ""
    yield "| setting | value | of |"
    yield "|---|---|---|"
    for name, what in LIMITS:
        yield f"| `{name}` | {getattr(settings, name):,} | {what} |"
