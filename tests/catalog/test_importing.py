"""Importing a provider's catalogue: what is new, changed, gone and back, and what is left alone."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from catalog.importing import FieldChange, ImportRefused, Movement, plan_import
from catalog.models import Category, PriceChange, ProviderService, Route, Service, TextRule
from catalog.offers import services_on_sale
from providers.outcomes import Listings
from records.models import AttentionItem, AuditEntry
from tests.catalog.builders import COMMENTS, FOLLOWERS, OLGA, PACKAGE, a_provider, import_, listing, sold

pytestmark = pytest.mark.django_db


def test_a_first_import_makes_hidden_services_with_prices_and_routes() -> None:
    provider = a_provider(currency="RUB", exchange_rate="0.0108")
    result = import_(provider, FOLLOWERS, COMMENTS, markup=Decimal(25))
    assert result.counts() == {
        "new": 2, "changed": 0, "gone": 0, "back": 0, "unchanged": 0, "repriced": 0, "off_sale": 0,
    }  # fmt: skip
    followers = sold(provider)
    assert followers.rate == Decimal("0.01215")  # 0.90 × 0.0108 × 1.25
    assert (followers.type, followers.min, followers.max, followers.refill_days) == ("default", 50, 10_000, 30)
    assert followers.refill
    assert followers.cancel
    assert followers.category.name == "Instagram Followers"
    assert not followers.visible
    assert followers.routes.get().position == 0
    assert PriceChange.objects.get(service=followers).reason == f"Import from {provider.name}"
    assert AuditEntry.objects.filter(action="import services").count() == 1


def test_publish_shows_new_services_only() -> None:
    provider = a_provider()
    import_(provider, FOLLOWERS)
    import_(provider, FOLLOWERS, COMMENTS, publish=True)
    assert not sold(provider, "1").visible
    assert sold(provider, "2").visible


def test_a_second_import_reports_no_change_and_writes_nothing(django_assert_num_queries: object) -> None:
    provider = a_provider()
    import_(provider, FOLLOWERS, COMMENTS, PACKAGE, markup=Decimal(25))
    before = list(ProviderService.objects.values())
    result = import_(provider, FOLLOWERS, COMMENTS, PACKAGE, markup=Decimal(25))
    assert result.plan.empty
    assert result.counts()["unchanged"] == 3
    assert list(ProviderService.objects.values()) == before
    assert AuditEntry.objects.filter(action="import services").count() == 1


def test_a_plan_writes_nothing_and_shows_price_and_margin() -> None:
    provider = a_provider()
    plan = plan_import(provider, Listings([FOLLOWERS], []), markup=Decimal(25))
    (change,) = plan.changes
    assert change.movement is Movement.NEW
    assert (change.cost, change.price, change.margin) == (Decimal("0.9"), Decimal("1.125"), Decimal("20.0"))
    assert not ProviderService.objects.exists()
    assert not Category.objects.exists()


def test_changes_are_shown_field_by_field() -> None:
    provider = a_provider()
    import_(provider, FOLLOWERS)
    plan = plan_import(provider, Listings([replace(FOLLOWERS, rate=Decimal("1.00"), max=20_000)], []))
    (change,) = plan.changes
    assert change.movement is Movement.CHANGED
    assert change.fields == (
        FieldChange("rate", "0.90", "1.00", upstream=True),
        FieldChange("max", "10000", "20000", upstream=True),
        FieldChange("max", "10000", "20000"),
        FieldChange("price", "1.08", "1.20"),
    )


def test_a_changed_listing_is_followed_and_the_price_change_is_kept() -> None:
    provider = a_provider()
    import_(provider, FOLLOWERS, publish=True)
    import_(provider, replace(FOLLOWERS, rate=Decimal(1), description="Now better", cancel=False))
    service = sold(provider)
    assert (service.rate, service.description, service.cancel) == (Decimal("1.2"), "Now better", False)
    assert not service.off_sale_reason
    last = PriceChange.objects.order_by("-id").first()
    assert last is not None
    assert (last.before, last.after, last.by) == (Decimal("1.08"), Decimal("1.2"), OLGA.name)


@pytest.mark.parametrize(
    ("flag", "field", "value", "change"),
    [
        ("rate_by_hand", "rate", Decimal("7.77"), {"rate": Decimal("0.95")}),
        ("name_by_hand", "name", "Our own name", {"name": "Instagram Followers R30 fast"}),
        ("description_by_hand", "description", "Our words", {"description": "Their words"}),
        ("limits_by_hand", "max", 500, {"max": 700}),
        ("limits_by_hand", "min", 100, {"min": 20}),
        ("refill_by_hand", "refill_days", 60, {"name": "Instagram Followers R90"}),
    ],
)
def test_what_was_set_by_hand_stays(flag: str, field: str, value: object, change: dict[str, object]) -> None:
    provider = a_provider()
    import_(provider, FOLLOWERS)
    Service.objects.update(**{flag: True, field: value})
    import_(provider, replace(FOLLOWERS, **change))  # type: ignore[arg-type]
    assert getattr(sold(provider), field) == value
    assert import_(provider, replace(FOLLOWERS, **change)).plan.empty  # type: ignore[arg-type]


def test_a_category_chosen_by_hand_stays() -> None:
    provider = a_provider()
    import_(provider, FOLLOWERS)
    Service.objects.update(category=Category.objects.create(name="Ours"), category_by_hand=True)
    import_(provider, replace(FOLLOWERS, category="Somewhere else"))
    assert sold(provider).category.name == "Ours"


def test_a_service_follows_its_provider_to_another_category() -> None:
    provider = a_provider()
    import_(provider, FOLLOWERS, COMMENTS)
    import_(provider, replace(FOLLOWERS, category="Instagram Comments"), COMMENTS)
    assert sold(provider).category == sold(provider, "2").category


def test_a_renamed_category_stays_renamed_and_takes_the_new_services_of_its_shelf() -> None:
    provider = a_provider()
    import_(provider, FOLLOWERS)
    category = Category.objects.get()
    category.name = "Followers, ours"
    category.save()
    assert import_(provider, FOLLOWERS).plan.empty
    import_(provider, FOLLOWERS, replace(FOLLOWERS, external_id="9", name="Another"))
    assert sold(provider, "9").category == category
    assert Category.objects.count() == 1


def test_a_service_that_vanishes_goes_off_sale_and_comes_back_only_when_confirmed() -> None:
    provider = a_provider()
    import_(provider, FOLLOWERS, COMMENTS, publish=True)
    import_(provider, COMMENTS)
    assert sold(provider).off_sale_reason == "The provider does not list it any more."
    assert list(services_on_sale()) == [sold(provider, "2")]
    plan = import_(provider, FOLLOWERS, COMMENTS).plan
    assert [change.movement for change in plan.changes] == [Movement.BACK]
    assert sold(provider).off_sale_reason == "It vanished from the provider's list and came back."
    assert import_(provider, FOLLOWERS, COMMENTS).plan.empty
    assert sold(provider).off_sale_reason


def test_a_return_confirmed_in_the_preview_is_back_on_sale_at_once() -> None:
    provider = a_provider()
    import_(provider, FOLLOWERS, COMMENTS, publish=True)
    import_(provider, COMMENTS)
    import_(provider, FOLLOWERS, COMMENTS, confirmed={"1"})
    assert not sold(provider).off_sale_reason
    assert not AttentionItem.objects.filter(closed_at=None).exists()


@pytest.mark.parametrize(
    ("change", "cause", "words"),
    [
        ({"type": "Package"}, "type_changed", "Its type was Default and is now Package."),
        ({"refill": False}, "refill_lost", "It is not refilled any more."),
        ({"refill": None}, "refill_lost", "It is not refilled any more."),
        ({"name": "YouTube Watch Hours"}, "renamed", "is now “YouTube Watch Hours”"),
        ({"rate": Decimal("1.81")}, "price_moved", "Its cost went from 0.90 to 1.81."),
        ({"rate": Decimal("0.35")}, "price_moved", "Its cost went from 0.90 to 0.35."),
        ({"rate": Decimal(0)}, "price_moved", "Its cost went from 0.90 to 0.00."),
        ({"rate": Decimal("120481927710")}, "price_moved", "beyond what any service may cost"),
        ({"min": 500, "max": 100}, "limits", "Its minimum is 500 and its maximum 100."),
    ],
)
def test_a_great_change_takes_a_service_off_sale_and_tells_the_operator(
    change: dict[str, object], cause: str, words: str
) -> None:
    provider = a_provider()
    import_(provider, FOLLOWERS, COMMENTS, publish=True)
    result = import_(provider, replace(FOLLOWERS, **change), COMMENTS)  # type: ignore[arg-type]
    assert result.off_sale == 1
    service = sold(provider)
    assert words in service.off_sale_reason
    assert service not in services_on_sale()
    item = AttentionItem.objects.get(closed_at=None)
    assert (item.cause, item.provider_id) == (f"service_{cause}", provider.pk)
    assert item.evidence["services"][0]["service"] == service.pk


@pytest.mark.parametrize(
    "change",
    [
        {"type": "default"},
        {"name": "🔥 INSTAGRAM followers [R30]"},
        {"rate": Decimal("1.80")},
        {"rate": Decimal("0.36")},
        {"min": 10, "max": 2_147_483_647},
        {"cancel": False, "dripfeed": None},
    ],
)
def test_a_small_change_keeps_a_service_on_sale(change: dict[str, object]) -> None:
    provider = a_provider()
    import_(provider, FOLLOWERS, publish=True)
    import_(provider, replace(FOLLOWERS, **change))  # type: ignore[arg-type]
    assert not sold(provider).off_sale_reason


def test_what_the_operator_took_off_sale_keeps_the_operators_reason() -> None:
    provider = a_provider()
    import_(provider, FOLLOWERS, COMMENTS, publish=True)
    Service.objects.filter(pk=sold(provider).pk).update(off_sale_cause="operator", off_sale_reason="Complaints")
    import_(provider, COMMENTS)
    import_(provider, FOLLOWERS, COMMENTS)
    assert sold(provider).off_sale_reason == "Complaints"


def test_services_nobody_sees_raise_no_attention() -> None:
    provider = a_provider()
    import_(provider, FOLLOWERS, COMMENTS)
    import_(provider, COMMENTS)
    assert sold(provider).off_sale_reason
    assert not AttentionItem.objects.exists()


def test_one_attention_item_a_cause_names_all_services_that_wait() -> None:
    provider = a_provider()
    many = [listing(number) for number in range(30)]
    import_(provider, *many, publish=True)
    import_(provider, *many[3:])
    import_(provider, *many[5:])
    item = AttentionItem.objects.get()
    assert item.times == 2
    assert item.evidence["total"] == 5
    assert item.summary.startswith(f"5 of {provider.name}'s services vanished")


def test_an_empty_answer_changes_nothing() -> None:
    provider = a_provider()
    import_(provider, FOLLOWERS, publish=True)
    with pytest.raises(ImportRefused, match="empty"):
        import_(provider, unreadable=["Item 1 has no id."])
    assert not sold(provider).off_sale_reason


def test_an_answer_that_lost_too_much_changes_nothing_until_it_is_confirmed() -> None:
    provider = a_provider()
    many = [listing(number) for number in range(40)]
    import_(provider, *many, publish=True)
    rest = [replace(many[0], max=5), *many[1:20]]
    with pytest.raises(ImportRefused, match="20 of 40 services are missing"):
        import_(provider, *rest, markup=Decimal(99))
    assert sold(provider, "0").max == 10_000
    assert services_on_sale().count() == 40
    assert sold(provider, "0").rate == Decimal("1.08")
    import_(provider, *rest, confirm_losses=True)
    assert services_on_sale().count() == 19  # and one is below its minimum


def test_what_could_not_be_read_is_not_gone() -> None:
    provider = a_provider()
    import_(provider, FOLLOWERS, COMMENTS, publish=True)
    result = import_(provider, COMMENTS, unreadable=["Service 1: its rate is no number."], unreadable_ids={"1"})
    assert result.plan.of(Movement.GONE) == []
    assert result.plan.warnings == ["Service 1: its rate is no number."]
    assert not sold(provider).off_sale_reason


def test_no_import_without_an_exchange_rate() -> None:
    provider = a_provider(currency="RUB")
    with pytest.raises(ImportRefused, match="has no exchange rate"):
        import_(provider, FOLLOWERS)


def test_an_unknown_type_is_kept_and_not_sold() -> None:
    provider = a_provider()
    result = import_(provider, replace(FOLLOWERS, type="Telepathy"), publish=True)
    assert "not known here" in result.plan.changes[0].warnings[0]
    assert sold(provider).type == "Telepathy"
    assert not services_on_sale().exists()


def test_limits_are_made_storable() -> None:
    provider = a_provider()
    import_(provider, replace(FOLLOWERS, min=0, max=10**30))
    service = sold(provider)
    assert (service.min, service.max) == (1, 2_147_483_647)
    assert import_(provider, replace(FOLLOWERS, min=0, max=10**30)).plan.empty


def test_texts_are_made_storable_and_long_names_cut() -> None:
    provider = a_provider()
    odd = replace(FOLLOWERS, name="a\x00b " * 300, category="c" * 400, description="one\r\ntwo\x00 \ud800")
    import_(provider, odd)
    service = sold(provider)
    assert len(service.name) <= 500
    assert service.name.startswith("ab ab")
    assert service.name.endswith("…")
    assert len(service.category.name) == 300
    assert service.description == "one\ntwo"
    assert import_(provider, odd).plan.empty


def test_an_id_listed_twice_counts_once() -> None:
    provider = a_provider()
    result = import_(provider, FOLLOWERS, replace(COMMENTS, external_id="1"))
    assert result.plan.warnings == ["Service 1 is listed twice: the first one counts."]
    assert sold(provider).name == FOLLOWERS.name


def test_services_keep_the_providers_order() -> None:
    provider = a_provider()
    import_(provider, listing(3), listing(1), listing(2), publish=True)
    import_(provider, listing(0), listing(3), listing(1), listing(2), publish=True)
    found = services_on_sale().values_list("routes__provider_service__external_id", flat=True)
    assert list(found) == ["3", "1", "2", "0"]


def test_text_rules_take_the_provider_out_of_every_text() -> None:
    provider, other = a_provider("Cheapo"), a_provider()
    TextRule.objects.create(provider=provider, find="Cheapo", replace="", position=1)
    TextRule.objects.create(find=r"https?://\S+", is_pattern=True, position=2)
    TextRule.objects.create(provider=other, find="Followers", replace="WRONG")
    its_own = replace(
        FOLLOWERS, name="Cheapo Followers", category="Cheapo | Instagram", description="See https://a.example/x now"
    )
    import_(provider, its_own)
    service = sold(provider)
    assert (service.name, service.category.name) == ("Followers", "| Instagram")
    assert service.description == "See  now"


def test_a_new_text_rule_reaches_services_already_here() -> None:
    provider = a_provider()
    import_(provider, FOLLOWERS)
    TextRule.objects.create(provider=provider, find="Instagram", replace="IG")
    import_(provider, FOLLOWERS)
    assert sold(provider).name == "IG Followers R30"
    assert sold(provider).category.name == "IG Followers"
    assert import_(provider, FOLLOWERS).plan.empty


def test_a_spare_route_keeps_a_service_on_sale_when_the_first_vanishes() -> None:
    first, second = a_provider(), a_provider()
    import_(first, FOLLOWERS, COMMENTS, publish=True)
    import_(second, replace(FOLLOWERS, rate=Decimal(2)))
    service = sold(first)
    spare = ProviderService.objects.get(provider=second)
    Route.objects.filter(provider_service=spare).delete()
    Route.objects.create(service=service, provider_service=spare, position=1)
    import_(first, COMMENTS)
    service.refresh_from_db()
    assert not service.off_sale_reason
    assert service.rate == Decimal("2.4")  # it is bought at the spare's price now


def test_a_spare_that_changes_leaves_the_service_alone() -> None:
    first, second = a_provider(), a_provider()
    import_(first, FOLLOWERS, publish=True)
    import_(second, COMMENTS, FOLLOWERS)
    service, spare = sold(first), ProviderService.objects.get(provider=second, external_id="1")
    Route.objects.filter(provider_service=spare).delete()
    Route.objects.create(service=service, provider_service=spare, position=1)
    import_(second, COMMENTS, replace(FOLLOWERS, name="Something else entirely", rate=Decimal(50)))
    import_(second, COMMENTS)
    service.refresh_from_db()
    assert (service.name, service.rate, service.off_sale_reason) == (FOLLOWERS.name, Decimal("1.08"), "")


def test_what_was_changed_by_hand_after_the_preview_is_respected() -> None:
    from catalog.importing import apply_import

    provider = a_provider()
    import_(provider, FOLLOWERS)
    plan = plan_import(provider, Listings([replace(FOLLOWERS, name="Instagram Followers R30 new")], []))
    Service.objects.update(name="Ours", name_by_hand=True)
    apply_import(plan, actor=OLGA)
    assert sold(provider).name == "Ours"
