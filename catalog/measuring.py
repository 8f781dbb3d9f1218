"""How much a line asks for: given, counted, reserved or none, by the declaration of its type. Pure arithmetic.

What is delivered at a time, one run of a drip-feed or one post of a subscription, lies within a service's limits; what
is charged is the quantity in all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext_noop as N_

from catalog.models import Service
from catalog.sentences import Sentence, number, say
from catalog.service_types import Field, Quantity, ServiceType

BETWEEN = N_("%(field)s must be between %(min)s and %(max)s.")
BETWEEN_IN_RUNS = N_("%(field)s must be between %(min)s and %(max)s in each run.")
MULTIPLE = N_("%(field)s must be a multiple of %(step)s.")
MULTIPLE_IN_RUNS = N_("%(field)s must be a multiple of %(step)s in each run.")
TOO_MANY = {
    "quantity": N_("%(each)s is too many: one order may have %(most)s."),
    "runs": N_("%(times)s runs of %(each)s are %(total)s in all: one order may have %(most)s."),
    "posts": N_("%(times)s posts of up to %(each)s are %(total)s in all: one order may have %(most)s."),
}


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

    Raises NotMeasured with all that is wrong with the others: a quantity outside the limits, runs without an interval,
    posts that nobody counted, more in all than one order may have.
    """
    match kind.quantity:
        case Quantity.NONE:
            return Measured(None, None)
        case Quantity.LINES:
            return _counted(kind, values, limits, wrong)
        case Quantity.GIVEN:
            return _given(kind, values, limits, wrong)
        case Quantity.RESERVED:
            return _reserved(kind, values, limits, wrong)


def _counted(
    kind: ServiceType, values: Mapping[str, str], limits: Limits, wrong: Collection[str]
) -> Measured | None:
    field = kind.field(kind.counted)
    if field.name in wrong:
        return None
    lines = values[field.name].count("\n") + 1
    if not limits.min <= lines <= limits.max:
        message = say(
            "%(field)s must have between %(min)s and %(max)s lines; yours have %(lines)s.",
            field=say(field.label), min=number(limits.min), max=number(limits.max), lines=number(lines),
        )  # fmt: skip
        raise NotMeasured(Problem(field.name, message, _small_or_large(lines, limits)))
    if lines % limits.step:
        message = say(
            "%(field)s must have a multiple of %(step)s lines; yours have %(lines)s.",
            field=say(field.label), step=number(limits.step), lines=number(lines),
        )  # fmt: skip
        raise NotMeasured(Problem(field.name, message, "not_a_multiple"))
    return Measured(lines, (lines, lines))


def _given(kind: ServiceType, values: Mapping[str, str], limits: Limits, wrong: Collection[str]) -> Measured | None:
    """One run alone is no drip-feed, and an interval without runs says nothing."""
    problems: list[Problem] = []
    in_runs = int(values.get("runs", "0")) > 1
    if "quantity" not in wrong:
        problems += _outside(kind.field("quantity"), values, limits, each_run=in_runs)
    if in_runs and "interval" not in wrong and "interval" not in values:
        problems.append(Problem("interval", _interval_missing(kind.field("interval")), "required"))
    if problems:
        raise NotMeasured(*problems)
    if {"quantity", "runs", "interval"} & set(wrong):
        return None
    each = int(values["quantity"])
    if not in_runs:
        return Measured(_in_all(each, 1, "quantity"), (each, each))
    runs = int(values["runs"])
    return Measured(_in_all(each, runs, "runs"), (each, each), runs, int(values["interval"]))


def _interval_missing(field: Field) -> Sentence:
    return say(
        "%(field)s are required with runs: an interval of 1 to %(most)s.",
        field=say(field.label), most=number(settings.MAX_INTERVAL_MINUTES),
    )  # fmt: skip


def _reserved(
    kind: ServiceType, values: Mapping[str, str], limits: Limits, wrong: Collection[str]
) -> Measured | None:
    """The most that may be delivered: `max` for each post. What was is settled at the end."""
    bounds = [name for name in ("min", "max") if name not in wrong]
    problems = [problem for name in bounds for problem in _outside(kind.field(name), values, limits)]
    if len(bounds) == 2 and not problems and int(values["max"]) < int(values["min"]):
        problems.append(Problem("max", say("Most per post must not be below least per post."), "too_small"))
    posts = int(values.get("posts", "0")) or min(limits.open_posts or 0, settings.MAX_POSTS)
    if not posts and "posts" not in wrong:
        words = say("%(field)s are required: say how many.", field=say(kind.field("posts").label))
        problems.append(Problem("posts", words, "required"))
    if problems:
        raise NotMeasured(*problems)
    if {"min", "max", "posts"} & set(wrong):
        return None
    least, most = int(values["min"]), int(values["max"])
    return Measured(_in_all(most, posts, "posts"), (least, most))


def _outside(field: Field, values: Mapping[str, str], limits: Limits, *, each_run: bool = False) -> list[Problem]:
    """What is wrong with a field that has the service's limits: what is delivered at a time."""
    value = int(values[field.name])
    if not limits.min <= value <= limits.max:
        words = BETWEEN_IN_RUNS if each_run else BETWEEN
        message = say(words, field=say(field.label), min=number(limits.min), max=number(limits.max))
        return [Problem(field.name, message, _small_or_large(value, limits))]
    if value % limits.step:
        words = MULTIPLE_IN_RUNS if each_run else MULTIPLE
        return [Problem(field.name, say(words, field=say(field.label), step=number(limits.step)), "not_a_multiple")]
    return []


def _in_all(each: int, times: int, field: str) -> int:
    """The quantity of all runs or posts together; raises NotMeasured beyond what one order may have."""
    total = each * times
    if total > settings.MAX_QUANTITY:
        counts = {"times": times, "each": each, "total": total, "most": settings.MAX_QUANTITY}
        words = say(TOO_MANY[field], **{name: number(count) for name, count in counts.items()})
        raise NotMeasured(Problem(field, words, "too_large"))
    return total


def _small_or_large(value: int, limits: Limits) -> str:
    return "too_small" if value < limits.min else "too_large"
