"""What an operator does to services by hand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from catalog.models import Category, Service
from catalog.offers import services_on_sale
from catalog.prices import set_markup
from catalog.shelves import back_to_provider, confirm_back_on_sale, edit_by_hand, hide, publish, take_off_sale
from records.models import AttentionItem, AuditEntry
from tests.catalog.builders import COMMENTS, FOLLOWERS, OLGA, a_provider, import_, sold

pytestmark = pytest.mark.django_db


def test_publish_and_hide_are_audited_once_each() -> None:
    provider = a_provider()
    import_(provider, FOLLOWERS, COMMENTS)
    assert publish(Service.objects.all(), actor=OLGA, reason="Opening") == 2
    assert publish(Service.objects.all(), actor=OLGA) == 0
    assert services_on_sale().count() == 2
    assert hide([sold(provider)], actor=OLGA) == 1
    assert services_on_sale().count() == 1
    assert AuditEntry.objects.filter(action="publish service", actor_name=OLGA.name, reason="Opening").count() == 2
    assert AuditEntry.objects.filter(action="hide service").count() == 1


def test_off_sale_and_back() -> None:
    provider = a_provider()
    import_(provider, FOLLOWERS, publish=True)
    service = sold(provider)
    take_off_sale(service, actor=OLGA, reason="Complaints")
    assert service.off_sale_reason == "Complaints"
    assert confirm_back_on_sale([service], actor=OLGA, reason="Solved").services == (service.pk,)
    assert services_on_sale().get() == service
    entry = AuditEntry.objects.get(action="back on sale")
    assert (entry.before, entry.reason) == ({"off_sale_reason": "Complaints"}, "Solved")


def test_a_confirmation_takes_the_service_off_the_attention_list() -> None:
    provider = a_provider()
    import_(provider, FOLLOWERS, COMMENTS, publish=True)
    import_(provider, replace(FOLLOWERS, refill=False), replace(COMMENTS, type="Default"))
    assert AttentionItem.objects.filter(closed_at=None).count() == 2
    confirm_back_on_sale([sold(provider)], actor=OLGA)
    assert [item.cause for item in AttentionItem.objects.filter(closed_at=None)] == ["service_type_changed"]


@pytest.mark.parametrize(
    ("listed", "why"),
    [
        ((COMMENTS,), "Its provider does not list it now, or is not active."),
        ((COMMENTS, replace(FOLLOWERS, type="Telepathy")), "Its type “Telepathy” cannot be ordered here."),
        (
            (COMMENTS, replace(FOLLOWERS, min=9, max=8)),
            "Its limits or its price make no sense. Set the limits by hand first.",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_sold_cannot_be_confirmed(listed: tuple[object, ...], why: str) -> None:
    provider = a_provider()
    import_(provider, FOLLOWERS, COMMENTS, publish=True)
    import_(provider, *listed)  # type: ignore[arg-type]
    service = sold(provider)
    assert confirm_back_on_sale([service], actor=OLGA).refused == {service.pk: why}
    assert sold(provider).off_sale_reason


def test_edits_by_hand_survive_imports_until_they_are_given_back() -> None:
    provider = a_provider()
    import_(provider, FOLLOWERS)
    service = sold(provider)
    edit_by_hand(service, actor=OLGA, reason="Shorter", name="Followers", refill_days=15, step=10)
    import_(provider, replace(FOLLOWERS, description="New"))
    assert (sold(provider).name, sold(provider).refill_days, sold(provider).step) == ("Followers", 15, 10)
    assert list(services_on_sale(search="followers")) == []
    assert AuditEntry.objects.get(action="edit service").before["name"] == FOLLOWERS.name
    back_to_provider(service, ["name"], actor=OLGA)
    import_(provider, FOLLOWERS)
    assert (sold(provider).name, sold(provider).refill_days) == (FOLLOWERS.name, 15)


def test_another_category_may_mean_another_price() -> None:
    provider = a_provider()
    import_(provider, FOLLOWERS)
    dear = Category.objects.create(name="Premium")
    set_markup(category=dear, percent=Decimal(100), actor=OLGA)
    service = sold(provider)
    edit_by_hand(service, actor=OLGA, category=dear)
    assert service.rate == Decimal("1.8")


def test_senseless_edits_are_refused() -> None:
    provider = a_provider()
    import_(provider, FOLLOWERS)
    with pytest.raises(ValidationError):
        edit_by_hand(sold(provider), actor=OLGA, min=500, max=100)
    assert not sold(provider).limits_by_hand


def test_a_drip_feed_by_hand_stays_through_imports_until_it_is_given_back() -> None:
    provider = a_provider()
    import_(provider, replace(FOLLOWERS, dripfeed=False))
    edit_by_hand(sold(provider), actor=OLGA, dripfeed=True)
    import_(provider, replace(FOLLOWERS, dripfeed=False, max=FOLLOWERS.max + 1))
    assert sold(provider).dripfeed
    back_to_provider(sold(provider), ["dripfeed"], actor=OLGA)
    import_(provider, replace(FOLLOWERS, dripfeed=False, max=FOLLOWERS.max + 2))
    assert not sold(provider).dripfeed
