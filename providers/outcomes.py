"""What a request to a provider came to, in types that the rooms above decide by.

Nothing here reads or sends anything: `providers.dialect` makes these from an answer, `providers.client` from a request
that brought none, and orders decide by them. Amounts are in the provider's currency. Rules: architecture, "Submitting".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum


class Scope(StrEnum):
    """What a refusal is about, and so what else it will stop."""

    PROVIDER = "provider"  # every order here: they wait, the queue pauses
    SERVICE = "service"  # every order of this service here: the next route, else a refund
    ORDER = "order"  # this order alone


class Cause(StrEnum):
    """Why a provider refused. The values are what an operator writes in a provider's word map."""

    FUNDS = "funds"
    BAD_KEY = "bad_key"
    INACTIVE = "inactive"
    MAINTENANCE = "maintenance"
    RATE_LIMIT = "rate_limit"
    UNKNOWN_ACTION = "unknown_action"
    SERVICE_GONE = "service_gone"
    INCORRECT_REQUEST = "incorrect_request"
    LINK = "link"
    QUANTITY = "quantity"
    DUPLICATE_LINK = "duplicate_link"
    INCORRECT_ID = "incorrect_id"
    NOT_ELIGIBLE = "not_eligible"
    OTHER = "other"  # an error in words that nobody has classified
    AMBIGUOUS = "ambiguous"  # words that leave open whether it was done after all ("timeout", "duplicate request")
    UNREADABLE = "unreadable"  # not a refusal in words at all

    @property
    def scope(self) -> Scope:
        if self in _OF_THE_PROVIDER:
            return Scope.PROVIDER
        if self in _OF_THE_SERVICE:
            return Scope.SERVICE
        return Scope.ORDER


_OF_THE_PROVIDER = frozenset(
    {Cause.FUNDS, Cause.BAD_KEY, Cause.INACTIVE, Cause.MAINTENANCE, Cause.RATE_LIMIT, Cause.UNKNOWN_ACTION}
)
# An incorrect request lacks a field or has one too many: a question of the service's type. Another route may take it.
_OF_THE_SERVICE = frozenset({Cause.SERVICE_GONE, Cause.INCORRECT_REQUEST})


@dataclass(frozen=True, slots=True)
class Refusal:
    """A provider's "no". `text` is what it said, cut, without the key: for the operator, never for a customer."""

    scope: Scope
    cause: Cause
    text: str

    @classmethod
    def of(cls, cause: Cause, text: str) -> Refusal:
        """A refusal with the scope that its cause has."""
        return cls(cause.scope, cause, text)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What came back, as kept with an attempt: cut, without the key. No status when no answer came."""

    http_status: int | None = None
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has the order, under this id. Whether another order holds it already is for the database to say."""

    upstream_id: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Rejected:
    """The provider refused the order in a well-formed answer: nothing was made."""

    refusal: Refusal
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class NotSent:
    """The order did not reach the provider: it is safe to send again, after `retry_after` seconds where it said so.

    `our_limit`: our own limit on requests left no place, so nothing was tried and nothing speaks against the provider.
    """

    reason: str
    retry_after: float | None = None
    evidence: Evidence = field(default_factory=Evidence)
    our_limit: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """Whether the provider has the order cannot be told: never sent again and never refunded by itself."""

    reason: str
    evidence: Evidence = field(default_factory=Evidence)


AddOutcome = Accepted | Rejected | NotSent | Unknown


class OrderWord(StrEnum):
    """What an upstream order's status word means; the same words as an order's status here."""

    PENDING = "Pending"
    IN_PROGRESS = "In progress"
    PROCESSING = "Processing"
    COMPLETED = "Completed"
    PARTIAL = "Partial"
    CANCELED = "Canceled"


class SubscriptionWord(StrEnum):
    ACTIVE = "Active"
    PAUSED = "Paused"
    COMPLETED = "Completed"
    EXPIRED = "Expired"
    CANCELED = "Canceled"


class RefillWord(StrEnum):
    PENDING = "Pending"
    IN_PROGRESS = "In progress"
    COMPLETED = "Completed"
    REJECTED = "Rejected"
    CANCELED = "Canceled"
    ERROR = "Error"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReading:
    """An upstream order as `status` gives it. None: left out, or not to be read; `word` is its status as spelled.

    The reader cannot know what kind of order it is asked about, so it reads the word both ways: `status` by the words
    of orders, `subscription` by those of subscriptions (`Active` is In progress of the one and Active of the other).
    """

    upstream_id: str
    status: OrderWord | None
    word: str
    subscription: SubscriptionWord | None = None
    charge: Decimal | None = None
    start_count: int | None = None
    remains: int | None = None  # as sent: may be negative or above the quantity
    currency: str | None = None
    runs: int | None = None
    posts: int | None = None
    expiry: str | None = None
    orders: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()  # of `runs` and `posts`: what was sent and is no whole number


@dataclass(frozen=True, slots=True)
class ItemError:
    """One id among those asked was answered with an error, or with something that is no record: it changes nothing."""

    upstream_id: str
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Statuses:
    """The answer to `status`. An id that is absent from `by_id` was absent from the answer: no error of that order."""

    by_id: dict[str, StatusReading | ItemError]
    not_asked: tuple[str, ...] = ()  # ids in the answer that nobody asked for: ignored, worth a log line


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceListing:
    """A service as its provider lists it. `rate` per 1000 or per package, rounded up at the sixth place."""

    external_id: str
    name: str
    category: str
    type: str  # as spelled; compare by `normalise_type`
    rate: Decimal
    min: int
    max: int  # may be below min: such a service cannot be ordered
    refill: bool | None
    cancel: bool | None
    dripfeed: bool | None
    description: str


@dataclass(frozen=True, slots=True)
class Listings:
    """The catalogue: what could be read, a sentence for each item that could not, and the ids of those that have one.

    An id among `unreadable_ids` is still listed upstream: it is broken, not gone.
    """

    services: list[ServiceListing]
    unreadable: list[str]
    unreadable_ids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RefillAnswer:
    """What came of asking a refill: exactly one of an id to follow, or a refusal."""

    upstream_id: str
    refill_id: str | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class RefillStatusReading:
    refill_id: str
    status: RefillWord | None
    word: str


@dataclass(frozen=True, slots=True)
class CancelAnswer:
    """What came of asking to cancel. Taken means asked for, never done: only the order's later status says that."""

    upstream_id: str
    refusal: Refusal | None = None

    @property
    def taken(self) -> bool:
        return self.refusal is None


@dataclass(frozen=True, slots=True)
class BalanceReading:
    """What the provider holds for us, rounded down; the currency is None where it does not say."""

    amount: Decimal
    currency: str | None
