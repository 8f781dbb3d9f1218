"""Updates: what came, went and costs another price, as customers and visitors read it."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.test import Client

from catalog.models import Service, Update
from catalog.shelves import hide
from records.audit import SYSTEM
from tests.portal.builders import a_service

pytestmark = pytest.mark.django_db


def _page(client: Client, query: str = "") -> str:
    answer = client.get(f"/updates/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def _rows(page: str) -> list[str]:
    rows = page.partition("<tbody>")[2].partition("</tbody>")[0].split("</tr>")[:-1]
    return [" ".join(re.sub(r"<[^>]*>", " ", row).split()) for row in rows]


def test_what_happened_is_listed_newest_first(as_alice: Client) -> None:
    service = a_service("Followers", rate=Decimal("0.90"))
    Service.objects.filter(pk=service.pk).update(rate=Decimal("1.20"))
    Service.objects.filter(pk=service.pk).update(rate=Decimal("0.80"))
    hide([service], actor=SYSTEM)
    gone, cheaper, dearer, new = _rows(_page(as_alice))
    assert gone.startswith(f"Gone {service.pk} Followers Instagram 0.80")
    assert cheaper.startswith(f"Cheaper {service.pk} Followers Instagram before 1.20 now 0.80")
    assert dearer.startswith(f"Dearer {service.pk} Followers Instagram before 0.90 now 1.20")
    assert new.startswith(f"New {service.pk} Followers Instagram 0.90")


def test_what_is_on_sale_now_can_be_ordered_and_what_is_gone_cannot(as_alice: Client) -> None:
    here, gone = a_service("Here"), a_service("Gone one")
    hide([gone], actor=SYSTEM)
    page = _page(as_alice)
    assert f"/order/new/?service={here.pk}" in page
    assert f"/order/new/?service={gone.pk}" not in page


@pytest.mark.parametrize(("kind", "words"), [("new", ["New"]), ("up", ["Dearer"]), ("down", []), ("gone", ["Gone"])])
def test_one_kind_alone(as_alice: Client, kind: str, words: list[str]) -> None:
    service = a_service()
    Service.objects.filter(pk=service.pk).update(rate=Decimal(2))
    hide([service], actor=SYSTEM)
    page = _page(as_alice, f"?kind={kind}")
    assert [row.split()[0] for row in _rows(page)] == words
    assert ("There was no such change lately." in page) is (words == [])


def test_a_package_says_that_its_price_is_for_the_whole(as_alice: Client) -> None:
    a_service("Launch", type="package", rate=Decimal("49.99"))
    assert "a package" in _rows(_page(as_alice))[0]


def test_pages_follow_each_other_by_id(as_alice: Client, settings: pytest.FixtureRequest) -> None:
    settings.PORTAL_UPDATES_PAGE = 2  # type: ignore[attr-defined]
    for number in range(3):
        a_service(f"Service {number}")
    first = _page(as_alice, "?kind=new")
    assert "Service 2" in first
    assert "Service 0" not in first
    last = Update.objects.get(name="Service 1").pk
    assert f"?kind=new&amp;before={last}" in first
    assert "Service 0" in _page(as_alice, f"?kind=new&before={last}")


@pytest.mark.parametrize("query", ["?kind=x", "?before=x", "?after=%00", "?before=" + "9" * 30])
def test_a_senseless_address_is_an_ordinary_page(as_alice: Client, query: str) -> None:
    a_service("Followers")
    assert "Followers" in _page(as_alice, query)


def test_a_new_panel_says_what_will_be_here(client: Client) -> None:
    assert "No changes yet" in _page(client)


def test_names_are_text_and_never_markup(client: Client) -> None:
    a_service("<script>alert(1)</script>", category="<img src=x>")
    page = _page(client)
    assert "<script>alert" not in page
    assert "<img src=x" not in page
