"""The operator's pages on a phone, in a browser: nothing of a run is cut off or beside the screen."""

from __future__ import annotations

import pytest
from django.conf import settings
from pytest_django.live_server_helper import LiveServer

from orders.models import Order, State
from providers.sandbox.server import Sandbox
from tests.browser import NewPage
from tests.operations.desk import Desk
from tests.operations.test_orders import at
from tests.orders.builders import a_provider
from tests.orders.in_runs import a_drip_feed, begun

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("width", [390, 1024])
def test_where_a_run_is_can_be_read_whole(
    desk: Desk, sandbox: Sandbox, live_server: LiveServer, new_page: NewPage, width: int
) -> None:
    parent = a_drip_feed(a_provider(sandbox))
    run = begun(parent)
    Order.objects.filter(pk=run.pk).update(state=State.REVIEW, reason="What remains is not said. " * 4)
    page = new_page(width=width, height=844)
    session = desk.client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    page.goto(f"{live_server.url}/admin/{at(parent)}")
    table = page.locator(".desk-runs")
    assert table.evaluate("it => it.scrollWidth <= it.parentElement.clientWidth")
    for words in ("The operator decides what was delivered", "What remains is not said."):
        box = table.get_by_text(words).first.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
