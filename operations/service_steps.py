"""What an operator does to services: one at a time, or to all that were chosen in the list."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings

from catalog.costs import unit_cost
from catalog.models import Service
from catalog.prices import back_to_markup, exchange_rates, first_live_routes, set_price_by_hand
from catalog.shelves import (
    FLAG_OF,
    back_to_provider,
    confirm_back_on_sale,
    hide,
    publish,
    take_off_sale,
)
from operations import words
from operations.forms import DeskForm, OptionalReasonForm, ReasonForm, money, reason
from operations.provider_steps import moved
from operations.refusals import Refused
from operations.steps import Data, Step
from records.audit import Actor

FOLLOWED = {
    "name_by_hand": ("name", "Name"), "description_by_hand": ("description", "Description"),
    "category_by_hand": ("category", "Category"), "limits_by_hand": ("min", "Limits"),
    "refill_by_hand": ("refill", "Refill"), "dripfeed_by_hand": ("dripfeed", "Drip-feed"),
}  # fmt: skip


class PriceForm(DeskForm):
    rate = money("Price", least=0)
    reason = reason(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rate"].help_text = f"In {settings.PANEL_CURRENCY}, per 1000 (or per package)."


class FollowForm(DeskForm):
    fields_to_follow = forms.MultipleChoiceField(
        label="Follow the provider in", choices=list(FOLLOWED.values()), widget=forms.CheckboxSelectMultiple
    )
    reason = reason(required=False)


def show(actor: Actor, service: Service, data: Data) -> str:
    publish([service], actor=actor, reason=data.get("reason", ""))
    return "Customers see the service." if not service.off_sale_reason else "It is shown, but still off sale."


def take_away(actor: Actor, service: Service, data: Data) -> str:
    hide([service], actor=actor, reason=data.get("reason", ""))
    return "Customers do not see the service any more. Orders already made go on."


def off_sale(actor: Actor, service: Service, data: Data) -> str:
    take_off_sale(service, actor=actor, reason=data["reason"])
    return "It is off sale until you confirm it back. Orders already made go on."


def back_on_sale(actor: Actor, service: Service, data: Data) -> str:
    done = confirm_back_on_sale([service], actor=actor, reason=data.get("reason", ""))
    if service.pk in done.refused:
        raise Refused(f"It stays off sale. {done.refused[service.pk]}")
    return "It is back on sale, at the price that the markup makes now."


def price_by_hand(actor: Actor, service: Service, data: Data) -> str:
    set_price_by_hand(service, data["rate"], actor=actor, reason=data["reason"])
    return f"It costs {words.ours(service.rate)} until you give it back to the markup.{_below_cost(service)}"


def _below_cost(service: Service) -> str:
    """A price that nobody can buy at is no mistake to refuse, but one to know of."""
    basis = first_live_routes(Service.objects.filter(pk=service.pk)).get(service.pk)
    rate = exchange_rates().get(basis.provider_id) if basis is not None else None
    cost = unit_cost(basis, rate) if basis is not None and rate is not None else None
    if cost is None or service.rate >= cost:
        return ""
    return f" That is below its cost of {words.ours(cost)}: orders are refused until the price covers it."


def price_by_markup(actor: Actor, service: Service, data: Data) -> str:
    done = back_to_markup(service, actor=actor, reason=data["reason"])
    if done.out_of_range:
        return "Its price follows the markup again, but none can be made for it now: it keeps the one it has."
    return f"Its price follows the markup again: {words.ours(service.rate)}."


def follow_again(actor: Actor, service: Service, data: Data) -> str:
    back_to_provider(service, data["fields_to_follow"], actor=actor, reason=data["reason"])
    return "The next import brings the provider's values."


def by_hand_words(service: Service) -> list[str]:
    """What of it was set by hand, in words."""
    flagged = [label for flag, (_, label) in FOLLOWED.items() if getattr(service, flag)]
    return ["Price", *flagged] if service.rate_by_hand else flagged


STEPS = (
    Step(
        name="publish", right="catalog.change_service", label="Publish", do=show, icon="visibility", primary=True,
        fits=lambda service: not service.visible, says=lambda service: "Shows it to customers.",
    ),
    Step(
        name="hide", right="catalog.change_service", label="Hide", do=take_away, icon="visibility_off",
        fits=lambda service: service.visible, says=lambda service: "Takes it off the customers' list.",
    ),
    Step(
        name="back-on-sale", right="catalog.change_service", label="Back on sale",
        do=back_on_sale, form=OptionalReasonForm, icon="check_circle",
        primary=True, fits=lambda service: bool(service.off_sale_reason),
        says=lambda service: f"It is off sale: {service.off_sale_reason} Confirming sells it as it is now.",
    ),
    Step(
        name="off-sale", right="catalog.change_service", label="Take off sale",
        do=off_sale, form=ReasonForm, icon="block", danger=True,
        fits=lambda service: not service.off_sale_reason,
        says=lambda service: "It cannot be ordered until you confirm it back, whatever imports bring.",
    ),
    Step(
        name="price", right="catalog.change_service", label="Set price", do=price_by_hand, form=PriceForm, icon="edit",
        initial=lambda service: {"rate": service.rate},
        says=lambda service: f"It costs {words.ours(service.rate)} now. A price by hand stays through imports, markup "
        "and exchange rates; orders already made keep theirs.",
    ),
    Step(
        name="markup-price", right="catalog.change_service", label="Back to markup",
        do=price_by_markup, form=OptionalReasonForm, icon="percent",
        fits=lambda service: service.rate_by_hand,
        says=lambda service: f"Its price was set by hand to {words.ours(service.rate)}; the markup makes it again.",
    ),
    Step(
        name="follow", right="catalog.change_service", label="Follow the provider",
        do=follow_again, form=FollowForm, icon="link",
        fits=lambda service: any(getattr(service, flag) for flag in set(FLAG_OF.values())),
        says=lambda service: f"By hand: {', '.join(by_hand_words(service))}. What you choose is the provider's again.",
    ),
)  # fmt: skip


def bulk_publish(actor: Actor, services: list[Service], data: Data) -> str:
    return _counted(publish(services, actor=actor, reason=data["reason"]), "is shown", "are shown")


def bulk_hide(actor: Actor, services: list[Service], data: Data) -> str:
    return _counted(hide(services, actor=actor, reason=data["reason"]), "is hidden", "are hidden")


def bulk_back_on_sale(actor: Actor, services: list[Service], data: Data) -> str:
    done = confirm_back_on_sale(services, actor=actor, reason=data["reason"])
    stay = "".join(f" {pk}: {why}" for pk, why in list(done.refused.items())[:5])
    more = f" {len(done.refused)} stay off sale.{stay}" if done.refused else ""
    return _counted(len(done.services), "is back on sale", "are back on sale") + more


def bulk_price(actor: Actor, services: list[Service], data: Data) -> str:
    for service in services:
        set_price_by_hand(service, data["rate"], actor=actor, reason=data["reason"])
    return _counted(len(services), f"costs {words.ours(data['rate'])}", f"cost {words.ours(data['rate'])}")


def bulk_markup(actor: Actor, services: list[Service], data: Data) -> str:
    changed = sum(back_to_markup(service, actor=actor, reason=data["reason"]).changed for service in services)
    return f"{_counted(len(services), 'follows the markup', 'follow the markup')} {moved(changed)}"


def _counted(number: int, one: str, many: str) -> str:
    return f"1 service {one}." if number == 1 else f"{number:,} services {many}."
