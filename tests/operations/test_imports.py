"""Importing: nothing is written before "Apply", what is applied is what was shown, and 5,000 services stay usable."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pytest_django import Settings

from catalog.models import MarkupRule, ProviderService, Service
from catalog.prices import set_price_by_hand
from operations.models import ImportPreview
from providers.models import Provider
from providers.sandbox.server import Sandbox
from records.audit import SYSTEM
from tests.operations.desk import Desk, Page
from tests.orders.builders import a_provider

pytestmark = pytest.mark.django_db
ONE: dict[str, Any] = {
    "service": 1, "name": "Instagram Followers R30", "type": "Default", "category": "Followers", "rate": "0.90",
    "min": "50", "max": "10000", "refill": True, "cancel": True, "dripfeed": True,
}  # fmt: skip


def listed(number: int, **changes: Any) -> dict[str, Any]:
    return {**ONE, "service": number, "name": f"Telegram views pack {number}", **changes}


def page_of(provider: Provider, query: str = "") -> str:
    return f"providers/provider/{provider.pk}/import/{query}"


def apply(desk: Desk, provider: Provider, **values: Any) -> Page:
    """Press "Apply" on the preview that is shown."""
    page = desk.open(page_of(provider))
    form = _apply_form(page)
    answer = desk.client.post(f"/admin/{page_of(provider)}", {**form, "apply": "1", **values}, follow=True)
    return Page(answer.status_code, "", answer.content.decode(), answer)


def _apply_form(page: Page) -> dict[str, str]:
    return {"fingerprint": page.response.context["shown"].fingerprint}


def test_nothing_is_written_before_apply_and_then_what_was_shown(desk: Desk) -> None:
    with Sandbox(balance="1000", services=[ONE, listed(2, rate="2.00")]) as sandbox:
        provider = a_provider(sandbox)
        page = desk.send(page_of(provider), markup="25", publish="on")
        assert "2 New 0 Changed 0 Back on the list 0 Gone 0 Unchanged" in page.text
        assert "Apply 2 changes" in page.text
        assert "1.125" in page.text
        assert "20.0 %" in page.text
        assert not Service.objects.exists()
        assert not MarkupRule.objects.exists()
        done = apply(desk, provider)
    assert "Applied: 2 new, 0 changed, 0 back on the list, 0 gone." in done.text
    assert [service.rate for service in Service.objects.order_by("rate")] == [Decimal("1.125"), Decimal("2.5")]
    assert all(service.visible for service in Service.objects.all())
    assert MarkupRule.objects.get().percent == 25
    assert not ImportPreview.objects.exists()


def test_a_package_that_is_out_of_line_stands_on_top_and_says_what_to_check(desk: Desk) -> None:
    likes = [listed(number, name="Likes", rate="1") for number in range(1, 60)]
    package = listed(99, name="Likes · 10k", type="Package", rate="10000", min="1", max="1")
    with Sandbox(balance="1000", services=[*likes, package]) as sandbox:
        provider = a_provider(sandbox)
        page = desk.send(page_of(provider), publish="on")
        done = apply(desk, provider)
    assert page.text.index("1 package looks out of line with its category") < page.text.index("Apply 60 changes")
    assert "10,000.00 a package 12,000.00 a package" in page.text
    assert "1.00 per 1000 1.20 per 1000" in page.text
    assert "1 service is off sale until you confirm what is in doubt." in done.text
    assert Service.objects.get(type="package").off_sale_cause == "out_of_line"
    assert page.text.index("Likes · 10k") < page.text.index("Likes Followers · Default")
    assert "A unit of it (10,000 by its name) costs about 1,000 times what is usual in its category." in page.text
    assert "check the provider's setting “package rate unit”" in page.text


def test_a_second_import_has_nothing_to_apply(desk: Desk) -> None:
    with Sandbox(balance="1000", services=[ONE]) as sandbox:
        provider = a_provider(sandbox)
        desk.send(page_of(provider))
        apply(desk, provider)
        page = desk.send(page_of(provider))
    assert "Nothing changed since the last import." in page.text
    assert "Apply" not in page.text


def test_changed_gone_and_back_stand_apart_with_before_and_after(desk: Desk) -> None:
    with Sandbox(balance="1000", services=[ONE, listed(2), listed(3)]) as sandbox:
        provider = a_provider(sandbox)
        desk.send(page_of(provider), publish="on")
        apply(desk, provider)
        preview = _preview(desk, provider)
        first, second, _ = preview.listings["services"]
        preview.listings["services"] = [{**first, "rate": "1.20"}, second]
        preview.save()
        page = desk.open(page_of(provider))
        assert "0 New 1 Changed 0 Back on the list 1 Gone 1 Unchanged" in page.text
        assert "rate there 0.90 → 1.20" in page.text
        assert "1.08 → 1.44" in page.text
        done = apply(desk, provider)
        assert "1 service is off sale" in done.text
        back = desk.send(page_of(provider))
        assert "1 Changed 1 Back on the list 0 Gone" in back.text
        assert "Sell it all the same" in back.text
        apply(desk, provider, confirmed="3")
    assert Service.objects.get(routes__provider_service__external_id="3").off_sale_reason == ""


def test_a_loss_stands_on_top_in_red(desk: Desk) -> None:
    with Sandbox(balance="1000", services=[ONE, listed(2), listed(3)]) as sandbox:
        provider = a_provider(sandbox)
        desk.send(page_of(provider))
        apply(desk, provider)
        set_price_by_hand(
            Service.objects.get(routes__provider_service__external_id="3"), Decimal("0.95"), actor=SYSTEM
        )
        preview = _preview(desk, provider)
        for each in preview.listings["services"]:
            each["rate"] = "1.00"
        preview.listings["services"].append({**preview.listings["services"][0], "external_id": "4"})
        preview.save()
        page = desk.open(page_of(provider))
    assert "1 service would sell below its cost" in page.text
    first = page.response.context["tables"][0]
    assert first.rows[0].external_id == "3"
    assert 'class="is-loss"' in page.source
    assert "-5.3 %" in page.text


def test_what_changed_in_between_is_said_and_shown_again(desk: Desk) -> None:
    with Sandbox(balance="1000", services=[ONE]) as sandbox:
        provider = a_provider(sandbox)
        desk.send(page_of(provider))
        seen = _apply_form(desk.open(page_of(provider)))
        MarkupRule.objects.create(percent=Decimal(100))
        answer = desk.client.post(f"/admin/{page_of(provider)}", {**seen, "apply": "1"}, follow=True)
        page = Page(answer.status_code, "", answer.content.decode(), answer)
        assert "The catalogue changed since this preview was made. Nothing was applied." in page.text
        assert not Service.objects.exists()
        assert "1.80" in page.text
        assert "Applied: 1 new" in apply(desk, provider).text


def test_a_preview_that_is_too_old_must_be_fetched_again(desk: Desk, settings: Settings) -> None:
    with Sandbox(balance="1000", services=[ONE]) as sandbox:
        provider = a_provider(sandbox)
        desk.send(page_of(provider))
        seen = _apply_form(desk.open(page_of(provider)))
        settings.IMPORT_PREVIEW_MINUTES = 0
        answer = desk.client.post(f"/admin/{page_of(provider)}", {**seen, "apply": "1"}, follow=True)
    assert "too old or was applied already. Nothing was changed" in answer.content.decode()
    assert not Service.objects.exists()


def test_applying_twice_applies_once(desk: Desk) -> None:
    with Sandbox(balance="1000", services=[ONE]) as sandbox:
        provider = a_provider(sandbox)
        desk.send(page_of(provider))
        seen = _apply_form(desk.open(page_of(provider)))
        for _ in range(2):
            answer = desk.client.post(f"/admin/{page_of(provider)}", {**seen, "apply": "1"}, follow=True)
    assert "applied already" in answer.content.decode()
    assert Service.objects.count() == 1


def test_a_provider_that_is_down_or_empty_changes_nothing(desk: Desk) -> None:
    with Sandbox(balance="1000", services=[ONE]) as sandbox:
        provider = a_provider(sandbox)
        sandbox.faults.add("services", "html", times=5)
        page = desk.send(page_of(provider), markup="30")
        assert "The provider could not be asked" in page.text
        assert page.form()["fields"]["markup"] == ["30"]
    assert not ProviderService.objects.exists()
    assert not MarkupRule.objects.exists()


def test_losing_most_of_the_list_must_be_confirmed(desk: Desk) -> None:
    many = [listed(number) for number in range(1, 31)]
    with Sandbox(balance="1000", services=many) as sandbox:
        provider = a_provider(sandbox)
        desk.send(page_of(provider))
        apply(desk, provider)
        preview = _preview(desk, provider)
        preview.listings["services"] = preview.listings["services"][:10]
        preview.save()
        page = desk.open(page_of(provider))
        assert "20 of 30 services are missing" in page.text
        refused = apply(desk, provider)
        assert "that looks like a broken answer" in refused.text
        assert ProviderService.objects.filter(gone_at__isnull=False).count() == 0
        assert "20 gone" in apply(desk, provider, confirm_losses="on").text


def test_five_thousand_services_are_paged_and_searched(desk: Desk, settings: Settings) -> None:
    services = [listed(number) for number in range(1, 5001)]
    with Sandbox(balance="1000", services=services) as sandbox:
        provider = a_provider(sandbox)
        page = desk.send(page_of(provider))
        assert "Apply 5000 changes" in page.text.replace(",", "")
        assert len(page.source) < 200_000
        assert page.source.count("<tr>") <= settings.IMPORT_PREVIEW_ROWS + 1
        found = desk.open(page_of(provider, "?q=pack+4321"))
        assert [change.external_id for change in found.response.context["tables"][0].rows] == ["4321"]
        last = desk.open(page_of(provider, "?table=new&page=25"))
        assert "25 / 25" in last.text
        done = apply(desk, provider)
    assert "Applied: 5,000 new" in done.text


def test_a_catalogue_needs_the_right_to_change_services(desk: Desk) -> None:
    provider = a_provider()
    user = desk.open("").response.context["user"]
    user.is_superuser = False
    user.save()
    assert desk.client.get(f"/admin/{page_of(provider)}").status_code == 403
    assert desk.client.post(f"/admin/{page_of(provider)}", {"apply": "1"}).status_code == 403


def _preview(desk: Desk, provider: Provider) -> ImportPreview:
    desk.send(page_of(provider), publish="on")
    return ImportPreview.objects.get()
