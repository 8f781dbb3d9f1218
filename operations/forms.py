"""Plain forms in the theme's clothes, and the fields that many of them have."""

from __future__ import annotations

from typing import Any

from django import forms
from unfold import widgets

from ledger.amounts import EXCHANGE_PLACES
from ledger.fields import AmountFormField
from operations.refusals import sentence

REASON_LENGTH = 300


class DeskForm(forms.Form):
    """A form of the operator's side: every field looks as the admin's own do."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            dress(field.widget)

    def refuse(self, error: Exception) -> None:
        """Show a verb's refusal: at the field that it names, else above the form."""
        named = getattr(error, "field", None)
        self.add_error(named if named in self.fields else None, sentence(error))


def dress(widget: forms.Widget) -> None:
    """Give a plain widget the theme's classes."""
    classes = widgets.INPUT_CLASSES
    match widget:
        case forms.CheckboxInput():
            classes = widgets.CHECKBOX_CLASSES
        case forms.RadioSelect() | forms.CheckboxSelectMultiple() | forms.HiddenInput():
            return
        case forms.Select():
            classes = widgets.SELECT_CLASSES
            widget.template_name = widgets.UnfoldAdminSelectWidget.template_name
        case forms.Textarea():
            classes = widgets.TEXTAREA_CLASSES
            widget.attrs.setdefault("rows", 4)
        case _:
            pass
    widget.attrs["class"] = " ".join(classes)


def reason(*, required: bool = True, help_text: str = "Kept in the audit trail, with your name.") -> forms.CharField:
    return forms.CharField(max_length=REASON_LENGTH, required=required, help_text=help_text)


def money(label: str, *, required: bool = True, least: int | None = None, **options: Any) -> AmountFormField:
    return AmountFormField(label=label, required=required, decimal_places=6, max_digits=18, min_value=least, **options)


def exchange_rate(label: str, **options: Any) -> AmountFormField:
    return AmountFormField(label=label, decimal_places=EXCHANGE_PLACES, max_digits=18, **options)


class ReasonForm(DeskForm):
    reason = reason()


class OptionalReasonForm(DeskForm):
    reason = reason(required=False)
