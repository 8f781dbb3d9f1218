"""Pictures of the operator's pages, in both sizes and both themes, to be looked at by a person.

    python -m pytest tests/operations/screenshots.py

They land in screenshots/operations/ (PANEL_SCREENSHOTS names another folder), which git ignores. A word on the
console, such as a broken content policy, fails it.
"""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from accounts.deposits import correct
from accounts.keys import issue_key
from accounts.people import create_operator
from catalog.importing import apply_import, plan_import
from catalog.models import Service
from catalog.prices import set_price_by_hand
from operations import previews
from orders.models import Order
from providers.books import compare
from providers.models import Provider
from providers.queue import pause
from providers.sandbox.server import Sandbox
from providers.upstream import Upstream
from records.audit import SYSTEM
from records.models import AttentionItem, JobRun
from tests.browser import NewPage
from tests.orders.builders import OPERATOR, a_customer, a_provider, a_service, an_order, due_now, followed, saying, sent
from tests.sandbox.fixture import sandbox

__all__ = ["sandbox"]
FOLDER = Path(os.environ.get("PANEL_SCREENSHOTS", "screenshots")) / "operations"
SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
LONG = (
    "🔥 Подписчики Instagram | Максимальное качество 💎 | Живые аккаунты с аватарками и публикациями | "
    "Скорость до 50 000 в сутки ⚡ | Гарантия восстановления 365 дней ♻️ | Без списаний | Старт 0–15 минут 🚀 | Россия"
)
PASSWORD = "a long enough one"

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _loopback_is_a_provider(settings: object) -> None:
    settings.PROVIDER_PRIVATE_HOSTS = ["127.0.0.1"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_pictures(live_server: LiveServer, new_page: NewPage, sandbox: Sandbox, size: str, dark: bool) -> None:
    olga = create_operator(email="olga@example.com", password=PASSWORD)
    width, height = SIZES[size]
    page = new_page(width=width, height=height, dark=dark, ratio=1)
    shoot = _Shots(page, live_server.url, f"{size}-{'dark' if dark else 'light'}")
    shoot.page("sign-in", "")
    _sign_in(page, live_server.url)
    shoot.page("overview-empty", "")
    orders = _a_busy_panel(sandbox)
    provider = Provider.objects.get(name="Sandbox")
    shoot.page("overview", "")
    shoot.page("attention", "records/attentionitem/")
    item = AttentionItem.objects.filter(cause="unknown_submission").latest("pk")
    shoot.page("attention-item", f"records/attentionitem/{item.pk}/change/")
    shoot.page("orders", "orders/order/")
    shoot.page("order-unknown", f"orders/order/{orders['unknown'].pk}/change/")
    page.click("details summary")
    shoot.shot("order-unknown-open")
    shoot.page("order-exists", f"orders/order/{orders['unknown'].pk}/exists/")
    shoot.page("order-settle", f"orders/order/{orders['review'].pk}/settle/")
    shoot.page("providers", "providers/provider/")
    shoot.page("provider-add", "providers/provider/add/")
    shoot.page("provider", f"providers/provider/{provider.pk}/change/")
    shoot.page("provider-dialect", f"providers/provider/{provider.pk}/change/#how-it-speaks")
    shoot.page("import-first", f"providers/provider/{provider.pk}/import/")
    _a_catalogue_with_everything(provider, olga)
    shoot.page("import", f"providers/provider/{provider.pk}/import/")
    shoot.page("import-one-table", f"providers/provider/{provider.pk}/import/?table=new")
    shoot.page("services", "catalog/service/")
    shoot.page("service", f"catalog/service/{Service.objects.earliest('pk').pk}/change/")
    shoot.page("service-add", "catalog/service/add/")
    shoot.page("markup", "catalog/markuprule/add/")
    shoot.page("customers", "accounts/customer/")
    shoot.page("customer", f"accounts/customer/{orders['unknown'].customer_id}/change/")
    shoot.page("users", "accounts/user/")
    shoot.page("transfers", "ledger/transfer/")
    shoot.page("audit", "records/auditentry/")
    shoot.page("jobs", "records/jobrun/")


def _a_busy_panel(sandbox: Sandbox) -> dict[str, Order]:
    provider = a_provider(sandbox)
    compare(provider, Upstream(provider).balance())
    alice, service = a_customer("250.5"), a_service(provider, name=LONG)
    orders = {"by hand": an_order(a_customer("10", "bob@example.com"), a_service(None, name="A report by hand"))}
    for name, words in {"completed": "complete", "review": "cancel_keep:20", "partial": "partial:30"}.items():
        orders[name] = an_order(alice, service, link=saying(words) + f"&n={name}")
    sent(provider, *[orders[name] for name in ("completed", "review", "partial")])
    sandbox.finish_all()
    followed(provider, *[orders[name] for name in ("completed", "review", "partial")])
    sandbox.faults.add("add", "reset_after", times=1)
    orders["unknown"] = an_order(alice, service, link="https://www.example.com/" + "segment-" * 20)
    due_now()
    sent(provider, orders["unknown"])
    slow, slow_charge = a_provider(name="Slow and dear"), orders["unknown"].charge
    pause(slow, reason="not enough funds on balance", cause="funds")
    ended = orders["unknown"].created_at
    JobRun.objects.create(
        job="provider_balances", scope=str(slow.pk), finished_at=ended, error="UpstreamTrouble: it did not answer"
    )
    correct(customer=alice, amount=-slow_charge, reason="A goodwill taken back", actor=OPERATOR, reference="T-1")
    issue_key(alice, "A script")
    return orders


def _a_catalogue_with_everything(provider: Provider, olga: object) -> None:
    shown = previews.fetch(provider=provider, user=olga, markup=None, publish=True)  # type: ignore[arg-type]
    apply_import(plan_import(provider, previews._unpacked(shown.preview.listings)), actor=SYSTEM, publish=True)
    listings = shown.preview.listings
    listings["services"] = listings["services"][:-4]
    for number, each in enumerate(listings["services"][:6]):
        each["rate"] = str(Decimal(each["rate"]) * (3 if number == 1 else 2) / 2)
        each["refill"] = not each["refill"]
    listings["services"] += [
        {**listings["services"][0], "external_id": str(90_000 + n), "name": f"{LONG} {n}"} for n in range(300)
    ]
    shown.preview.save()
    first = listings["services"][0]["external_id"]
    cheap = Service.objects.filter(routes__provider_service__external_id=first).latest("pk")
    set_price_by_hand(cheap, cheap.rate / 2, actor=SYSTEM)


def _sign_in(page: Page, url: str) -> None:
    page.goto(f"{url}/admin/")
    page.fill("[name=username]", "olga@example.com")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/admin/")


class _Shots:
    def __init__(self, page: Page, url: str, folder: str) -> None:
        self.tab, self.url, self.folder = page, url, FOLDER / folder
        self.folder.mkdir(parents=True, exist_ok=True)

    def page(self, name: str, path: str) -> None:
        answer = self.tab.goto(f"{self.url}/admin/{path}")
        assert answer is None or answer.status == 200, f"{path}: {answer.status}"
        self.shot(name)

    def shot(self, name: str) -> None:
        self.tab.wait_for_timeout(150)  # fonts and the rail's script
        self.tab.screenshot(path=self.folder / f"{name}.png")
        wide = self.tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} is {wide} px wider than the screen"
