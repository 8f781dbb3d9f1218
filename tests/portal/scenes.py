"""Every page that a visitor and a customer can see, in its states. What looks at pages looks at all of these: axe in
light and dark and by width, and a person at their pictures. A page that is new in portal/urls.py needs a scene
(tests/portal/test_axe_in_a_browser.py says so).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.template import loader
from django.test import Client, RequestFactory
from django.urls import resolve
from playwright.sync_api import Page, Route, expect

from portal import errors
from tests.portal.builders import LINK, PASSWORD
from tests.portal.world import LONG_LINK, MOST, World

Act = Callable[[Page, World], None]
ORDER = f"/order/new/?link={LINK}"
#: pages that only trouble shows: rendered here, and given to the browser under the panel's address
TROUBLE = ("locked_out", "account/too_many_letters", "account/sign_up_closed", "errors/forbidden", "errors/broken")


@dataclass(frozen=True, slots=True)
class Scene:
    """`who` comes to `path` and does something there, which leads to the page called `shows` in the URL list."""

    name: str
    path: str
    who: str = "much"
    act: Act | None = None
    shows: str = ""
    part: str = "html"  # where the rest lies under something, and is another scene

    def route(self) -> str:
        """The name in the URL list of what is seen in the end; empty for what is in none."""
        if self.shows or self.path.startswith(("/nowhere/", "/standing/")):
            return self.shows
        path = self.path.partition("?")[0]
        return str(resolve("".join("1" if part.startswith("{") else part for part in _parts(path))).url_name)


def _parts(path: str) -> list[str]:
    return path.replace("{", "\0{").replace("}", "}\0").split("\0")


def _press(button: str, /, **fields: str) -> Act:
    """Fill in fields by their names, then press the page's button that says so."""

    def act(page: Page, world: World) -> None:
        for field, value in fields.items():
            page.locator(f"main [name={field}]").fill(value)
        page.get_by_role("main").get_by_role("button", name=button).first.click()
        page.wait_for_load_state()

    return act


def _refused(page: Page, world: World) -> None:
    page.fill("[name=quantity]", "7")
    page.fill("[name=link]", "not a link")
    page.click("#order-button")
    expect(page.locator("#about-quantity .field-error")).to_be_visible()


def _unreachable(page: Page, world: World) -> None:
    page.route("**/order/new/price/", lambda route: route.abort("connectionrefused"))
    page.fill("[name=quantity]", "3000")
    expect(page.locator("#trouble")).to_be_visible()
    page.unroute("**/order/new/price/")


def _row_menu(page: Page, world: World) -> None:
    page.locator("main .menu summary").nth(3).click()


def _more(page: Page, world: World) -> None:
    if page.locator(".tab-more > summary").is_visible():
        page.locator(".tab-more > summary").click()


def _pick(page: Page, world: World) -> None:
    for number in (0, 1, 2, 4):
        page.locator("[form=selected]").nth(number).check()


def _pick_to_cancel(page: Page, world: World) -> None:
    _pick(page, world)
    page.locator("#selected").get_by_role("button", name="Cancel").click()
    expect(page).to_have_url(re.compile("/selected/"))


def _problem_without_words(page: Page, world: World) -> None:
    page.get_by_role("radio").first.check()
    page.locator("[name=text]").fill("  ")
    page.get_by_role("button", name="Send").click()


def _second_step(page: Page, world: World) -> None:
    page.locator("[name=username]").fill(world.customers["guarded"].user.email)
    _press("Sign in", password=PASSWORD)(page, world)


def _wrong_code(page: Page, world: World) -> None:
    _second_step(page, world)
    _press("Sign in", code="000000")(page, world)


def _stale(page: Page, world: World) -> None:
    page.context.clear_cookies()
    _press("Sign in", username="a@example.com", password="x")(page, world)


def _php(page: Page, world: World) -> None:
    page.get_by_role("radio", name="PHP", exact=True).check()


SCENES = (
    Scene("sign-in", "/sign-in/?next=/funds/", "visitor"),
    Scene("sign-in-refused", "/sign-in/", "visitor", _press("Sign in", username="a@example.com", password="x")),
    Scene("sign-in-stale", "/sign-in/", "visitor", _stale),
    Scene("second-step", "/sign-in/", "visitor", _second_step, "second_step"),
    Scene("second-step-refused", "/sign-in/", "visitor", _wrong_code, "second_step"),
    Scene("sign-up", "/sign-up/", "visitor"),
    Scene("sign-up-refused", "/sign-up/", "visitor", _press("Send the link", email="nobody@localhost")),
    Scene("sign-up-sent", "/sign-up/", "visitor", _press("Send the link", email="nina@example.com")),
    Scene("join", "/sign-up/{join}/", "visitor"),
    Scene("join-refused", "/sign-up/{join}/", "visitor", _press("Create account", password="12345678")),
    Scene("join-spent", "/sign-up/nonsense/", "visitor"),
    Scene("password-forgotten", "/password/", "visitor"),
    Scene("password-chosen-anew", "/password/{reset}/", "visitor"),
    Scene("address-confirmed", "/address/{move}/", "visitor"),
    Scene("visitor-services", "/services/", "visitor"),
    Scene("visitor-updates", "/updates/", "visitor"),
    Scene("visitor-api-docs", "/docs/api/", "visitor"),
    Scene("not-found", "/nowhere/", "visitor"),
    *(Scene(name.rpartition("/")[2].replace("_", "-"), f"/standing/{name}/", "visitor") for name in TROUBLE),
    Scene("little-choose", "/order/new/", "little"),
    Scene("little-new-order", ORDER + "&service={plain}&quantity=1000", "little"),
    Scene("little-orders", "/orders/", "little"),
    Scene("little-mass", "/order/mass/", "little"),
    Scene("little-refills", "/refills/", "little"),
    Scene("little-cancellations", "/cancellations/", "little"),
    Scene("little-funds", "/funds/", "little"),
    Scene("little-api", "/account/api/", "little"),
    Scene("little-callbacks", "/account/callbacks/", "little"),
    Scene("little-account", "/account/", "little"),
    Scene("choose", "/order/new/"),
    Scene("choose-nothing", "/order/new/?q=zzz"),
    Scene("new-order", ORDER + "&service={plain}&quantity=2500"),
    Scene("new-order-awkward", f"/order/new/?service={{strange}}&quantity={MOST}&link={LONG_LINK.partition('?')[0]}"),
    Scene("new-order-refused", "/order/new/?service={strange}", act=_refused),
    Scene("new-order-unreachable", ORDER + "&service={plain}&quantity=2500", act=_unreachable),
    Scene("new-order-package", ORDER + "&service={package}"),
    Scene("new-order-comments", ORDER + "&service={comments}"),
    Scene("new-order-posts", "/order/new/?service={posts}&username=alice&min=100&max=200&posts=5"),
    Scene("new-order-poll", ORDER + "&service={poll}"),
    Scene("new-order-drip", ORDER + "&service={drip}&quantity=100&runs=5&interval=60"),
    Scene("mass-refused", "/order/mass/", act=_press("Check the list", list="")),
    Scene("mass-again", "/order/mass/?from={list_mixed}"),
    Scene("mass-preview", "/order/mass/{list_mixed}/"),
    Scene("mass-preview-wrong", "/order/mass/{list_mixed}/?wrong=1"),
    Scene("mass-preview-short", "/order/mass/{list_short}/"),
    Scene("mass-preview-hopeless", "/order/mass/{list_hopeless}/"),
    Scene("mass-placing", "/order/mass/{list_placing}/"),
    Scene("mass-stopped", "/order/mass/{list_stopped}/"),
    Scene("mass-done", "/order/mass/{list_done}/"),
    Scene("orders", "/orders/"),
    Scene("orders-menu", "/orders/", act=_row_menu, part="main .menu[open]"),
    Scene("orders-selected", "/orders/", act=_pick),
    Scene("orders-cancel-selected", "/orders/", act=_pick_to_cancel, shows="orders_selected"),
    Scene("orders-nothing", "/orders/?q=999999"),
    Scene("orders-more-places", "/orders/?status=Completed", act=_more),
    *(
        Scene(f"order-{name}", f"/orders/{{{name}}}/")
        for name in ("waiting", "running", "huge", "partial", "canceled", "completed", "asked")
    ),
    Scene("cancel", "/orders/{waiting}/cancel/"),
    Scene("problem", "/orders/{partial}/problem/"),
    Scene("problem-refused", "/orders/{partial}/problem/", act=_problem_without_words),
    Scene("problem-thread", "/orders/{asked}/problem/"),
    Scene("refills", "/refills/"),
    Scene("cancellations", "/cancellations/"),
    Scene("services", "/services/"),
    Scene("services-nothing", "/services/?q=zzz"),
    Scene("updates", "/updates/"),
    Scene("funds", "/funds/"),
    Scene("news", "/news/"),
    Scene("account", "/account/"),
    Scene("account-password", "/account/password/"),
    Scene("account-password-refused", "/account/password/", act=_press("", present="x", password="12345678")),
    Scene("account-address", "/account/address/"),
    Scene("two-factor-set-up", "/account/two-factor/"),
    Scene("two-factor-refused", "/account/two-factor/", act=_press("Switch on", code="000000", present=PASSWORD)),
    Scene("two-factor", "/account/two-factor/", "guarded"),
    Scene("recovery-codes", "/account/two-factor/", "guarded", _press("Make new recovery codes", present=PASSWORD)),
    Scene("api", "/account/api/"),
    Scene("api-key-rotated", "/account/api/keys/{key}/rotate/"),
    Scene("api-key-revoked", "/account/api/keys/{key}/revoke/"),
    Scene("api-key", "/account/api/", act=_press("Make key", name="Shop"), shows="api_key_create"),
    Scene("callbacks", "/account/callbacks/"),
    Scene("callbacks-refused", "/account/callbacks/", act=_press("Add address", url="http://10.0.0.1/")),
    Scene("callbacks-secret", "/account/callbacks/", act=_press("New secret"), shows="callback"),
    Scene("api-docs", "/docs/api/", act=_php),
    Scene("api-try", "/docs/api/try/?action=add&service={plain}&link=https://example.com/me&quantity=100"),
    Scene("api-tried", "/docs/api/try/?action=balance", act=_press("Call balance")),
)
#: what Chromium notes on the console: refusals of whole pages, and that somebody typed before it moved the focus
NOTED = ("status of 410", "status of 403", "Autofocus processing was blocked", "/order/new/price/", "htmx:")


class Stage:
    """One page of a browser that goes from scene to scene, signed in as whoever plays it."""

    def __init__(self, page: Page, url: str, world: World) -> None:
        self.page, self.url, self.world, self._who = page, url, world, "visitor"
        page.route("**/standing/**", _stand)

    def show(self, scene: Scene) -> None:
        if scene.who != self._who or scene.who == "visitor":
            self.sign_in(scene.who)
        self.page.goto(self.url + scene.path.format(**self.world.names))
        if scene.act is not None:
            scene.act(self.page, self.world)
        self.page.wait_for_load_state()

    def sign_in(self, who: str) -> None:
        """By a session made here: signing in itself is other tests' business."""
        self._who = who
        self.page.context.clear_cookies()
        if who == "visitor":
            return
        client = Client()
        client.force_login(self.world.customers[who].user, backend="django.contrib.auth.backends.ModelBackend")
        name = settings.SESSION_COOKIE_NAME
        self.page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": self.url}])


def _stand(route: Route) -> None:
    name = route.request.url.partition("/standing/")[2].rstrip("/")
    if name == "errors/broken":
        html = errors.broken(HttpRequest()).content.decode()
    else:
        html = loader.render_to_string(f"portal/{name}.html", request=RequestFactory().get("/"))
    route.fulfill(body=html, content_type="text/html; charset=utf-8")
