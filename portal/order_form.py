"""The form of a new order, made from the declaration of the service's type: a new type needs nothing here.

The price while typing needs only the quantity's own field: it does not wait for a link. It is found by the rules that
placing uses (`catalog.reading`, `catalog.pricing`), never by a script.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.measuring import Limits, Problem, measuring_fields
from catalog.models import Service
from catalog.pricing import PriceOutOfRange, charge
from catalog.reading import Read, read_line
from catalog.service_types import Charged, Field, Kind, ServiceType, service_type
from portal.money import grouped
from portal.parts import at_once
from portal.runs import plan, plan_of_posts

ANY_LINK = "https://example.com/"  # stands for the link that is not typed yet; it is not sent anywhere
A_DAY = "31/12/2030"  # how a date is written
NOTHING = ("", "0")  # of a number: not given
INPUTS = {Kind.LINES: "lines", Kind.CHOICE: "choice", Kind.INTEGER: "number", Kind.LINK: "link", Kind.URL: "link"}


@dataclass(frozen=True, slots=True)
class FormField:
    """One field as the page shows it: what was typed stays in `value`, what is wrong with it in `errors`."""

    name: str
    label: str
    input: str  # which kind of input: lines, choice, number, link or text
    required: bool
    needed_with: str  # required only with this choice elsewhere, and else not sent
    hint: str
    value: str
    choices: Sequence[tuple[str, str]]
    errors: Sequence[str]
    placeholder: str = ""
    focus: bool = False  # the first that must be looked at: what is wrong, else what is to be typed next


@dataclass(frozen=True, slots=True)
class Price:
    """What the quantity typed so far costs; `problem` says why there is no price yet, empty when nothing was typed.
    `plan` says what will happen of what is delivered in runs.
    """

    amount: Decimal | None
    problem: str = ""
    plan: str = ""


def form_fields(
    service: Service, typed: Mapping[str, str], errors: Mapping[str, Sequence[str]] | None = None
) -> list[FormField]:
    kind, wrong = _kind(service), errors or {}
    fields = _asked(service)
    first_wrong = next((field.name for field in fields if field.name in wrong), None)
    required = [field.name for field in fields if _is_required(service, field)]
    first_empty = next((name for name in required if not typed.get(name)), None)
    return [
        FormField(
            name=field.name,
            label=_(field.label),
            input=INPUTS.get(field.kind, "text"),
            required=_is_required(service, field),
            needed_with=_needed_with(kind, field),
            hint=_hint(service, kind, field),
            value=typed.get(field.name, ""),
            choices=_choices(field),
            errors=wrong.get(field.name, ()),
            placeholder=_placeholder(service, field),
            focus=field.name == (first_wrong or first_empty),
        )
        for field in fields
    ]


def typed_fields(service: Service, sent: Mapping[str, str]) -> dict[str, str]:
    """Of all that was sent, what the type's fields take."""
    return {field.name: sent[field.name] for field in _asked(service) if field.name in sent}


def _asked(service: Service) -> list[Field]:
    """The fields that this service's form has: those of a drip-feed only where it may be ordered in runs."""
    return [field for field in _kind(service).fields if service.dripfeed or not field.drip_feed]


def price_of(service: Service, typed: Mapping[str, str]) -> Price:
    """The price by what was typed so far: the fields that make the quantity are read, the others stand in."""
    kind = _kind(service)
    names = measuring_fields(kind)
    required = [name for name in names if kind.field(name).required]
    if any(not typed.get(name, "").strip() for name in required):
        return Price(None)
    stand_ins = {"link": ANY_LINK} if kind.has_link else {"username": "anybody"}
    only = replace(kind, fields=tuple(field for field in kind.fields if field.name in (*stand_ins, *names)))
    raw = stand_ins | {name: typed.get(name, "") for name in names}
    read = read_line(only, raw, limits=replace(Limits.of(service), link_pattern=""))
    problems = [*(read if isinstance(read, list) else []), *interval_alone(service, typed)]
    if problems or not isinstance(read, Read):
        return Price(None, " ".join(problem.message for problem in problems))
    return replace(_priced(service, read.quantity), plan=_plan(kind, read))


def _plan(kind: ServiceType, read: Read) -> str:
    if kind.in_posts and read.quantity is not None:
        most = int(read.details["max"])
        return plan_of_posts(posts=read.quantity // most, most=most)
    runs, interval = read.measured.runs, read.measured.interval
    if not runs or not interval or read.quantity is None:
        return ""
    return plan(runs=runs, each=read.quantity // runs, interval=interval)


def read_whole(service: Service, typed: Mapping[str, str]) -> Read | None:
    """The line as it would be stored, or None while something is wrong with it."""
    read = read_line(_kind(service), typed, limits=Limits.of(service))
    return read if isinstance(read, Read) else None


def interval_alone(service: Service, typed: Mapping[str, str]) -> list[Problem]:
    """What is wrong with an interval that no runs go with: all would be ordered at once, which nobody meant who typed
    one. The API ignores it as every panel does.
    """
    asked = {field.name for field in _asked(service)}
    given = {name: typed.get(name, "").strip() for name in ("runs", "interval")}
    if "interval" not in asked or given["interval"] in NOTHING or given["runs"] not in (*NOTHING, "1"):
        return []
    message = _("Runs are required with minutes between them: 2 or more. To get all at once leave both empty.")
    return [Problem("runs", message, "required")]


def problems_of(service: Service, typed: Mapping[str, str]) -> list[Problem]:
    """Everything that is wrong with a form by itself, before it is placed; nothing where only placing can tell."""
    alone = interval_alone(service, typed)
    if not alone:
        return []
    read = read_line(_kind(service), typed, limits=Limits.of(service))
    return [*(read if isinstance(read, list) else []), *alone]


def is_package(service: Service) -> bool:
    """Whether the rate is for the whole rather than for a thousand."""
    kind = service_type(service.type)
    return kind is not None and kind.charged is Charged.PACKAGE


def is_held(service: Service) -> bool:
    """Whether the price is the most that it can cost: held at first, and taken by what is delivered."""
    kind = service_type(service.type)
    return kind is not None and kind.charged is Charged.DELIVERED


def is_by_post(service: Service) -> bool:
    """Whether its limits are those of each post, as a subscription's are."""
    kind = service_type(service.type)
    return kind is not None and kind.in_posts


def has_drip_feed(service: Service) -> bool:
    """Whether it may be ordered in runs."""
    kind = service_type(service.type)
    return service.dripfeed and kind is not None and kind.in_runs


def _priced(service: Service, quantity: int | None) -> Price:
    try:
        return Price(charge(service.rate, quantity))
    except PriceOutOfRange as error:
        return Price(None, error.sentence)


def _kind(service: Service) -> ServiceType:
    kind = service_type(service.type)
    assert kind is not None, "only a known type has a form"
    return kind


def _is_required(service: Service, field: Field) -> bool:
    """Posts are, unless the operator set how many stand for a number that is left open."""
    if field.name == "posts":
        return service.open_posts is None
    return field.required and field.when is None


def _placeholder(service: Service, field: Field) -> str:
    """How what is typed may begin; the category's own example, where it has one."""
    if field.name == "link" and service.category.link_example:
        return service.category.link_example
    if field.kind is Kind.DATE:
        return A_DAY
    return "https://" if INPUTS.get(field.kind) == "link" else ""


def _choices(field: Field) -> Sequence[tuple[str, str]]:
    if field.name == "delay":
        return [(value, at_once() if value == "0" else _minutes(int(value))) for value, _words in field.choices]
    return [(value, _(words)) for value, words in field.choices]


def _minutes(count: int) -> str:
    return ngettext("%(count)s minute", "%(count)s minutes", count) % {"count": grouped(count)}


def _needed_with(kind: ServiceType, field: Field) -> str:
    """What must be chosen elsewhere for this field to be needed; "" where nothing must."""
    if field.when is None:
        return ""
    other = kind.field(field.when[0])
    return _(dict(other.choices).get(field.when[1], field.when[1]))


def _hint(service: Service, kind: ServiceType, field: Field) -> str:
    """The declaration's own help, at the link the category's example, at what makes the quantity the limits."""
    hints = [_(field.help)] if field.help else []
    if field.name == "link" and service.category.link_example:
        hints = [_("Such as %(example)s") % {"example": service.category.link_example}]
    if field.name == "posts" and service.open_posts is not None:
        hints.append(_("Empty: %(posts)s at most.") % {"posts": grouped(service.open_posts)})
    if field.limited or field.name == kind.counted:
        hints.append(_within(service, lines=bool(kind.counted)))
    return " ".join(hints)


def _within(service: Service, *, lines: bool) -> str:
    limits = {"min": grouped(service.min), "max": grouped(service.max), "step": grouped(service.step)}
    if lines:
        return _("Between %(min)s and %(max)s lines.") % limits
    if service.step > 1:
        return _("Between %(min)s and %(max)s, in steps of %(step)s.") % limits
    return _("Between %(min)s and %(max)s.") % limits


def label_of_field(type_key: str, name: str) -> str:
    """What a field of an order is called; its bare name where the type is not known any more."""
    kind = service_type(type_key)
    labels = {field.name: field.label for field in kind.fields} if kind else {}
    return _(labels.get(name, name))
