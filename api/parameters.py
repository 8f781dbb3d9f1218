"""The fields of a call as the documentation shows them; those of `add` from the declarations of the service types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_

from catalog.service_types import SERVICE_TYPES, Charged, Field, Kind, Quantity, ServiceType

TAKES = {
    Kind.LINK: N_("a link that starts with https:// or http://"),
    Kind.INTEGER: N_("a whole number"),
    Kind.LINES: N_("text, one entry a line; a JSON body may send a list"),
    Kind.TEXT: N_("one line of text"),
    Kind.USERNAME: N_("a username, with or without @"),
    Kind.HASHTAG: N_("one word, with or without #"),
    Kind.URL: N_("a link that starts with https:// or http://"),
    Kind.CHOICE: N_("one of"),
    Kind.DATE: N_("day/month/year"),
}
QUANTITIES = {
    Quantity.GIVEN: N_("as sent"), Quantity.NONE: N_("one, indivisible"), Quantity.RESERVED: N_("max × posts"),
}  # fmt: skip
CHARGES = {
    Charged.QUANTITY: N_("rate × quantity ÷ 1000"),
    Charged.PACKAGE: N_("the rate"),
    Charged.DELIVERED: N_("rate × quantity ÷ 1000 is held, what is delivered is charged"),
}
MANY_TYPES = 6  # naming more of them says less than the table of types


class Shape(Enum):
    """What a value is in a JSON body; in a form everything is text."""

    TEXT = "text"
    NUMBER = "number"  # or its digits as text
    IDS = "ids"  # with commas between, or a list
    LINES = "lines"  # one entry a line, or a list


@dataclass(frozen=True, slots=True)
class Parameter:
    """A field of a call. `about` is a sentence for people."""

    name: str
    takes: str
    required: bool = True
    about: str = ""
    shape: Shape = Shape.TEXT

    @property
    def lists(self) -> bool:
        """Whether it takes several ids."""
        return self.shape is Shape.IDS


SHAPES = {Kind.INTEGER: Shape.NUMBER, Kind.CHOICE: Shape.NUMBER, Kind.LINES: Shape.LINES}


def add_parameters() -> Sequence[Parameter]:
    """Each field that some service type takes, once; `about` names the types where not all of them take it."""
    uses: dict[str, list[tuple[ServiceType, Field]]] = {}
    for kind in SERVICE_TYPES.values():
        for field in kind.fields:
            uses.setdefault(field.name, []).append((kind, field))
    return [_merged(name, each) for name, each in uses.items()]


def _merged(name: str, uses: Sequence[tuple[ServiceType, Field]]) -> Parameter:
    fields = [field for _kind, field in uses]
    looser = next((field for field in fields if field.handle), fields[0])
    told = [_(looser.help)] if looser.help and len({field.help for field in fields}) == 1 or name == "link" else []
    depends = {field.when for field in fields if field.when}
    told += [_("Only with %(field)s = %(value)s.") % {"field": each, "value": value} for each, value in depends]
    kinds = [kind.label for kind, _field in uses]
    told += [_("For %(types)s.") % {"types": ", ".join(kinds)}] if len(kinds) <= MANY_TYPES else []
    return replace(parameter(looser), required=False, about=" ".join(text for text in told if text))


def parameter(field: Field) -> Parameter:
    """A field of a service type."""
    takes = _(TAKES[field.kind])
    if field.handle:
        takes = _("a link that starts with https:// or http://, or a username")
    if field.choices:
        takes = _("one of %(choices)s") % {"choices": choices(field)}
    if field.most is not None:
        bounds = {"least": field.least or 0, "most": field.most}
        takes = _("a whole number from %(least)s to %(most)s") % bounds
    must = field.required and field.when is None
    return Parameter(field.name, takes, must, _(field.help) if field.help else "", SHAPES.get(field.kind, Shape.TEXT))


def choices(field: Field) -> str:
    """The values, with their meaning where it is not the value over again."""
    return ", ".join(value if words.startswith(value) else f"{value} ({_(words)})" for value, words in field.choices)


def names_of(kind: ServiceType) -> tuple[Sequence[str], Sequence[str]]:
    """The fields that a line of this type must have, and those that it may have."""
    must = [field.name for field in kind.fields if field.required and field.when is None]
    return must, [field.name for field in kind.fields if field.name not in must]


def quantity_of(kind: ServiceType) -> str:
    if kind.quantity is Quantity.LINES:
        return _("the lines of %(field)s") % {"field": kind.counted}
    return _(QUANTITIES[kind.quantity])
