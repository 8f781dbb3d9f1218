"""Services, categories, markup and text rules: changed by verbs that keep what the operator set by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest

from catalog.models import Category, MarkupRule, PriceChange, Service, TextRule
from records.models import AuditEntry
from tests.operations.desk import Desk, Page
from tests.orders.builders import a_provider, a_route, a_service

pytestmark = pytest.mark.django_db


def at(service: Service, step: str = "change") -> str:
    return f"catalog/service/{service.pk}/{step}/"


def listed(page: Page) -> list[int]:
    return [service.pk for service in page.response.context["cl"].result_list]


def test_services_are_found_by_id_words_and_filters(desk: Desk) -> None:
    provider = a_provider()
    first = a_service(provider, "1", name="Подписчики Instagram")
    second = a_service(None, name="Telegram views")
    Service.objects.filter(pk=second.pk).update(visible=False)
    third = a_service(provider, "3", name="Likes", off_sale_reason="It vanished.", off_sale_cause="gone")
    assert listed(desk.open(f"catalog/service/?q={first.pk}")) == [first.pk]
    assert listed(desk.open("catalog/service/?q=подписчики")) == [first.pk]
    assert listed(desk.open("catalog/service/?q=VIEWS+followers")) == [second.pk]  # of name and shelf
    assert listed(desk.open(f"catalog/service/?provider={provider.pk}")) == [first.pk, third.pk]
    assert listed(desk.open("catalog/service/?provider=none")) == [second.pk]
    assert listed(desk.open("catalog/service/?sale=waits")) == [third.pk]
    assert listed(desk.open("catalog/service/?sale=hidden")) == [second.pk]
    assert listed(desk.open("catalog/service/?sale=on")) == [first.pk]


def test_the_list_shows_price_cost_and_margin_and_a_loss_in_red(desk: Desk) -> None:
    provider = a_provider()
    a_service(provider, "1", rate="1.125")
    a_service(provider, "2", rate="0.60", rate_by_hand=True)
    page = desk.open("catalog/service/")
    assert "1.125 0.90 20.0 %" in page.text
    assert "0.60 ✎ 0.90 −50.0 %" in page.text
    assert 'desk-loss">−50.0 %' in page.source


def test_what_is_changed_by_hand_stays_by_hand_and_nothing_else(desk: Desk) -> None:
    service = a_service(a_provider())
    page = desk.send(at(service), name="Better name", min="100")
    assert "changed successfully" in page.text
    service.refresh_from_db()
    assert (service.name, service.min) == ("Better name", 100)
    assert (service.name_by_hand, service.limits_by_hand) == (True, True)
    assert (service.description_by_hand, service.refill_by_hand, service.rate_by_hand) == (False, False, False)
    assert AuditEntry.objects.get(action="edit service").after == {"name": "Better name", "min": "100"}
    wrong = desk.send(at(service), min="500", max="10")
    assert "service_limits_in_order" in wrong.text or "limits" in wrong.text.lower()
    service.refresh_from_db()
    assert service.min == 100
    page = desk.send(at(service, "follow"), fields_to_follow="name")
    assert "The next import brings the provider's values." in page.text
    service.refresh_from_db()
    assert (service.name_by_hand, service.limits_by_hand) == (False, True)


def test_a_price_by_hand_and_back(desk: Desk) -> None:
    service = a_service(a_provider(), rate="1.08")
    page = desk.send(at(service, "price"), rate="2.5", reason="a campaign")
    assert "It costs 2.50 USD until you give it back to the markup." in page.text
    assert "a campaign" in page.text  # in the price history
    refused = desk.send(at(service, "price"), rate="1000000001")
    assert "A rate must be between 0 and" in refused.text
    page = desk.send(at(service, "markup-price"))
    assert "Its price follows the markup again: 1.08 USD." in page.text
    assert [change.after for change in PriceChange.objects.order_by("id")] == [Decimal("2.5"), Decimal("1.08")]


def test_off_sale_and_back_shown_and_hidden(desk: Desk) -> None:
    service = a_service(a_provider(), rate="1.08")
    desk.send(at(service, "off-sale"), reason="too many complaints")
    service.refresh_from_db()
    assert service.off_sale_reason == "too many complaints"
    assert "Off sale: too many complaints" in desk.open(at(service)).text
    assert "It is back on sale" in desk.send(at(service, "back-on-sale")).text
    assert "do not see the service any more" in desk.press(at(service), "/hide/").text
    assert "Customers see the service." in desk.press(at(service), "/publish/").text
    service.refresh_from_db()
    assert service.visible


def test_a_price_by_hand_below_cost_is_kept_and_said(desk: Desk) -> None:
    service = a_service(a_provider(), rate="1.08")
    page = desk.send(at(service, "price"), rate="0.5")
    assert "That is below its cost of 0.90 USD: orders are refused until the price covers it." in page.text
    assert "below its cost" not in desk.send(at(service, "price"), rate="0.9").text


def test_what_no_provider_lists_is_not_confirmed(desk: Desk) -> None:
    service = a_service(a_provider(active=False), off_sale_reason="It vanished.", off_sale_cause="gone")
    page = desk.send(at(service, "back-on-sale"))
    assert "It stays off sale. Its provider does not list it now, or is not active." in page.text


def test_many_at_once(desk: Desk) -> None:
    provider = a_provider()
    services = [a_service(provider, str(number), rate="1.08") for number in range(3)]
    Service.objects.update(visible=False)
    ids = [service.pk for service in services]
    assert "3 services are shown." in desk.choose("catalog/service/", "publish_chosen", *ids).text
    assert "3 services cost 5.00 USD." in desk.choose("catalog/service/", "price_chosen", *ids, rate="5").text
    assert set(Service.objects.values_list("rate", "rate_by_hand")) == {(Decimal(5), True)}
    page = desk.choose("catalog/service/", "markup_chosen", *ids)
    assert "3 services follow the markup. 3 prices changed." in page.text
    assert "2 services are hidden." in desk.choose("catalog/service/", "hide_chosen", *ids[:2]).text
    Service.objects.filter(pk__in=ids[:2]).update(off_sale_reason="x", off_sale_cause="renamed")
    assert "2 services are back on sale." in desk.choose("catalog/service/", "confirm_chosen", *ids).text


def test_another_first_route_makes_another_price(desk: Desk) -> None:
    provider = a_provider()
    service = a_service(provider, "1", rate="1.08")
    spare = a_route(a_service(provider, "2", rate="2"), provider, "3", position=1, rate="0.50").provider_service
    page = desk.send(at(service), **{"routes-0-provider_service": str(spare.pk)})
    assert "changed successfully" in page.text
    service.refresh_from_db()
    assert service.rate == Decimal("0.60")
    assert AuditEntry.objects.get(action="change routes").target_id == service.pk


def test_a_service_without_a_provider_is_added(desk: Desk) -> None:
    category = Category.objects.create(name="Reports")
    page = desk.send(
        "catalog/service/add/", name="A report", category=str(category.pk), type="default", rate="10", min="1", max="5"
    )
    assert "was added successfully" in page.text
    service = Service.objects.get()
    assert (service.rate_by_hand, service.visible, service.search) == (True, False, "a report")


def test_a_markup_rule_says_how_many_prices_followed(desk: Desk) -> None:
    provider = a_provider()
    service = a_service(provider, rate="1.08")
    a_service(provider, "2", rate="7", rate_by_hand=True)
    page = desk.send("catalog/markuprule/add/", provider=str(provider.pk), percent="50")
    assert "1 price changed." in page.text
    service.refresh_from_db()
    assert service.rate == Decimal("1.35")
    rule = MarkupRule.objects.get()
    twice = desk.send("catalog/markuprule/add/", provider=str(provider.pk), percent="60")
    assert "There is a rule for this already." in twice.text
    page = desk.send(f"catalog/markuprule/{rule.pk}/change/", percent="100")
    assert "1 price changed." in page.text
    gone = desk.client.post(f"/admin/catalog/markuprule/{rule.pk}/delete/", {"post": "yes"}, follow=True)
    assert "1 price changed." in gone.content.decode()
    service.refresh_from_db()
    assert service.rate == Decimal("1.08")
    assert [entry.action for entry in AuditEntry.objects.filter(actor_name="olga@example.com").order_by("id")] == [
        "set markup", "set markup", "remove markup",
    ]  # fmt: skip


def test_a_rule_for_a_service_is_for_it_alone(desk: Desk) -> None:
    service = a_service(a_provider())
    page = desk.open("catalog/markuprule/add/")
    fields = {name: value for name, value in page.form()["fields"].items() if value}
    fields |= {"service": [str(service.pk)], "provider": [str(service.routes.get().provider_service.provider_id)]}
    answer = desk.client.post("/admin/catalog/markuprule/add/", fields)
    assert "A rule for one service is for it alone" in answer.content.decode()
    assert not MarkupRule.objects.exists()


def test_text_rules_and_categories_are_kept_and_audited(desk: Desk) -> None:
    page = desk.send("catalog/textrule/add/", find="SMMProxy", replace="")
    assert "The next import brings the texts" in page.text
    broken = desk.send("catalog/textrule/add/", find="(", is_pattern="on")
    assert broken.response.context["adminform"].errors["find"]
    rule = TextRule.objects.get()
    desk.client.post(f"/admin/catalog/textrule/{rule.pk}/delete/", {"post": "yes"})
    full = a_service(None).category
    empty = Category.objects.create(name="Empty")
    desk.send(f"catalog/category/{full.pk}/change/", name="Подписчики")
    full.refresh_from_db()
    assert (full.name, full.search) == ("Подписчики", "подписчики")
    assert desk.client.post(f"/admin/catalog/category/{full.pk}/delete/", {"post": "yes"}).status_code == 403
    desk.client.post(f"/admin/catalog/category/{empty.pk}/delete/", {"post": "yes"})
    assert list(Category.objects.all()) == [full]
    actions = AuditEntry.objects.filter(actor_name="olga@example.com").order_by("id").values_list("action", flat=True)
    assert list(actions) == ["add text rule", "delete text rule", "edit category", "delete category"]
