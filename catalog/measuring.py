"""How much a line asks for: given, counted, reserved or none, by the declaration of its type. Pure arithmetic.

What is delivered at a time, one run of a drip-feed or one post of a subscription, lies within a service's limits; what
is charged is the quantity in all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.conf import settings

from catalog.models import Service
from catalog.service_types import Quantity, ServiceType


@dataclass(frozen=True, slots=True)
class Limits:
    """What a service takes: bounds on what is delivered at a time, which must be a multiple of `step`, and its rules.

    `open_posts` stands for the posts of a subscription that names none; `link_pattern` is a regular expression.
    """

    min: int
    max: int
    step: int = 1
    dripfeed: bool = False
    open_posts: int | None = None
    link_pattern: str = ""
    link_example: str = ""

    @classmethod
    def of(cls, service: Service) -> Limits:
        """Those of a service; its category's link rule is one of them."""
        shelf = service.category
        return cls(
            service.min, service.max, service.step, service.dripfeed, service.open_posts,
            shelf.link_pattern, shelf.link_example,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measured:
    """How much a line asks for. `quantity` in all, None for what cannot be divided; `span` is the least and the most
    that is delivered at a time (one run, one post), which lies within the limits of whoever delivers it.
    """

    quantity: int | None
    span: tuple[int, int] | None
    runs: int | None = None
    interval: int | None = None  # minutes between two runs


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field: a sentence for people, a code for programs."""

    field: str
    message: str
    code: str


class NotMeasured(Exception):
    """What the line asks for is not on sale; `problems` say why, each at its field."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(" ".join(problem.message for problem in problems))
        self.problems = problems


def measuring_fields(kind: ServiceType) -> tuple[str, ...]:
    """The fields that make a line's quantity, the one that has the service's limits first."""
    match kind.quantity:
        case Quantity.NONE:
            return ()
        case Quantity.LINES:
            return (kind.counted,)
        case Quantity.GIVEN:
            runs = tuple(field.name for field in kind.fields if field.drip_feed)
            return ("quantity", *runs)
        case Quantity.RESERVED:
            return ("max", "min", "posts")


def measure(
    kind: ServiceType, values: Mapping[str, str], *, limits: Limits, wrong: Collection[str] = ()
) -> Measured | None:
    """The measure of a line whose fields have been read; None where a field that it needs is among the `wrong`.

    Raises NotMeasured for a quantity outside the limits, runs without an interval, posts that nobody counted.
    """
    match kind.quantity:
        case Quantity.NONE:
            return Measured(None, None)
        case Quantity.LINES:
            return None if kind.counted in wrong else _counted(kind, values, limits)
        case Quantity.GIVEN:
            return None if {"quantity", "runs", "interval"} & set(wrong) else _given(kind, values, limits)
        case Quantity.RESERVED:
            return None if {"min", "max", "posts"} & set(wrong) else _reserved(values, limits)


def _counted(kind: ServiceType, values: Mapping[str, str], limits: Limits) -> Measured:
    field = kind.field(kind.counted)
    lines = values[kind.counted].count("\n") + 1
    if not limits.min <= lines <= limits.max:
        message = f"{field.label} must have {_within(limits)} lines; yours have {lines:,}."
        raise NotMeasured(Problem(field.name, message, _small_or_large(lines, limits)))
    _check_step(field.name, field.label, lines, limits)
    return Measured(lines, (lines, lines))


def _given(kind: ServiceType, values: Mapping[str, str], limits: Limits) -> Measured:
    field = kind.field("quantity")
    each = int(values["quantity"])
    if not limits.min <= each <= limits.max:
        of_one = " in each run" if "runs" in values else ""
        message = f"{field.label} must be {_within(limits)}{of_one}."
        raise NotMeasured(Problem(field.name, message, _small_or_large(each, limits)))
    _check_step(field.name, field.label, each, limits)
    runs, interval = _runs(values)
    return Measured(each * (runs or 1), (each, each), runs, interval)


def _runs(values: Mapping[str, str]) -> tuple[int | None, int | None]:
    """Runs and minutes between them; one run alone is no drip-feed."""
    runs, interval = int(values.get("runs", "0")), int(values.get("interval", "0"))
    if runs > settings.MAX_RUNS:
        raise NotMeasured(Problem("runs", f"Runs must be at most {settings.MAX_RUNS:,}.", "too_large"))
    if runs <= 1:
        return None, None
    if not 1 <= interval <= settings.MAX_INTERVAL_MINUTES:
        message = f"Interval must be between 1 and {settings.MAX_INTERVAL_MINUTES:,} minutes."
        raise NotMeasured(Problem("interval", message, "required" if not interval else "too_large"))
    return runs, interval


def _reserved(values: Mapping[str, str], limits: Limits) -> Measured:
    """The most that may be delivered: `max` for each post. What was is settled at the end."""
    least, most = int(values["min"]), int(values["max"])
    for name, label, number in (("min", "Least per post", least), ("max", "Most per post", most)):
        if not limits.min <= number <= limits.max:
            raise NotMeasured(Problem(name, f"{label} must be {_within(limits)}.", _small_or_large(number, limits)))
    if most < least:
        raise NotMeasured(Problem("max", "Most per post must not be below least per post.", "too_small"))
    posts = int(values.get("posts", "0")) or limits.open_posts
    if not posts:
        raise NotMeasured(Problem("posts", "New posts is required: say how many.", "required"))
    if posts > settings.MAX_POSTS:
        raise NotMeasured(Problem("posts", f"New posts must be at most {settings.MAX_POSTS:,}.", "too_large"))
    return Measured(most * posts, (least, most))


def _check_step(name: str, label: str, number: int, limits: Limits) -> None:
    if number % limits.step:
        raise NotMeasured(Problem(name, f"{label} must be a multiple of {limits.step:,}.", "not_a_multiple"))


def _within(limits: Limits) -> str:
    return f"between {limits.min:,} and {limits.max:,}"


def _small_or_large(number: int, limits: Limits) -> str:
    return "too_small" if number < limits.min else "too_large"
