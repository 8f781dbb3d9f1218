"""Who may open what: every address of the portal, found from its own list, so that a new one cannot be forgotten."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import URLPattern, reverse

from accounts.models import Customer, User
from portal.urls import urlpatterns
from tests.portal.builders import PASSWORD, a_service, an_order, ended

OPEN_TO_ALL = {
    "services", "updates", "sign_in", "second_step", "sign_up", "reset", "sign_out", "theme", "language", "accent",
    "logo",
}  # fmt: skip
OF_A_LETTER = {"join", "choose_password", "confirm_address"}  # whoever has the link: tests/portal/test_joining.py
OF_A_PERSON = {
    "account", "profile", "letters", "password", "address", "two_factor", "sign_out_others", "end_session",
}  # fmt: skip
OF_AN_ORDER = {"order", "order_live", "refill", "cancel", "problem"}
OF_A_LIST = {"mass_preview", "mass_live", "mass_place", "mass_errors"}  # tests/portal/test_mass.py
OF_A_CALLBACK = {"callback", "callback_again"}  # tests/portal/test_callbacks.py tries them on another customer's
OF_A_SERVICE = {"favourite"}  # of everybody's price list, for one's own mark: tests/portal/test_services.py
OF_A_KEY = {"api_key_rotate", "api_key_revoke"}  # tests/portal/test_api_keys.py
OF_A_CUSTOMER = {
    "home", "mass_order", "new_order", "price", "orders", "orders_live", "orders_export", "orders_selected",
    "refills", "cancels", "funds", "funds_export", "callbacks", "api", "api_key_create",
    "api_repeats", "news", "dismiss",
}  # fmt: skip
POST_ONLY = {"sign_out_others", "language", "price", "sign_out", "theme", "api_key_create", "api_repeats", "dismiss"}


def _names() -> dict[str, URLPattern]:
    return {str(pattern.name): pattern for pattern in urlpatterns}


def _has_id(pattern: URLPattern) -> bool:
    return bool(pattern.pattern.converters)


def _visit(client: Client, name: str, *args: int) -> int:
    address = reverse(f"portal:{name}", args=args)
    return (client.post(address) if name in POST_ONLY else client.get(address)).status_code


def test_every_address_is_known_to_this_test() -> None:
    everything = OPEN_TO_ALL | OF_A_SERVICE | OF_A_LETTER | OF_A_PERSON | OF_A_LIST
    assert set(_names()) == everything | OF_AN_ORDER | OF_A_CALLBACK | OF_A_KEY | OF_A_CUSTOMER
    with_id = OF_A_SERVICE | OF_AN_ORDER | OF_A_LIST | OF_A_CALLBACK | OF_A_KEY | OF_A_LETTER | {"end_session"}
    assert {name for name, pattern in _names().items() if _has_id(pattern)} == with_id


@pytest.mark.parametrize("name", sorted(OF_AN_ORDER))
@pytest.mark.parametrize("method", ["get", "post"])
def test_another_customers_order_does_not_exist(
    client: Client, alice: Customer, charlie: Customer, name: str, method: str
) -> None:
    order = ended(alice, service=a_service(refill=True))
    client.force_login(charlie.user, backend="django.contrib.auth.backends.ModelBackend")
    answer = getattr(client, method)(reverse(f"portal:{name}", args=[order.pk]))
    reads_only = method == "post" and name in ("order", "order_live")
    assert answer.status_code == (405 if reads_only else 404)
    assert order.refills.count() == order.cancels.count() == 0


@pytest.mark.parametrize("name", sorted(OF_AN_ORDER | OF_A_CALLBACK | OF_A_CUSTOMER | OF_A_PERSON))
def test_a_visitor_is_asked_to_sign_in(client: Client, alice: Customer, name: str) -> None:
    args = [1] if name in OF_AN_ORDER | OF_A_CALLBACK | {"end_session"} else []
    address = reverse(f"portal:{name}", args=args)
    answer = client.post(address) if name in POST_ONLY else client.get(address)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(reverse("portal:sign_in") + "?next=")


@pytest.mark.parametrize("name", sorted(OF_AN_ORDER | OF_A_CUSTOMER))
def test_staff_without_a_wallet_go_to_their_own_side(client: Client, alice: Customer, bob: User, name: str) -> None:
    args = [an_order(alice).pk] if name in OF_AN_ORDER else []
    client.force_login(bob, backend="django.contrib.auth.backends.ModelBackend")
    address = reverse(f"portal:{name}", args=args)
    answer = client.post(address) if name in POST_ONLY else client.get(address)
    assert (answer.status_code, answer.headers["Location"]) == (302, reverse("admin:index"))


@pytest.mark.parametrize("order_id", [0, 999, 2**63, 10**30])
def test_an_order_that_does_not_exist(as_alice: Client, order_id: int) -> None:
    for name in sorted(OF_AN_ORDER):
        assert _visit(as_alice, name, order_id) == 404


def test_a_fragment_asked_for_after_the_session_ended_takes_the_whole_page_to_sign_in(client: Client) -> None:
    answer = client.get(
        reverse("portal:orders_live"),
        headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/orders/?status=Pending"},
    )
    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"] == "/sign-in/?next=/orders/%3Fstatus%3DPending"


def test_an_order_that_was_being_typed_is_there_again_after_signing_in(client: Client, alice: Customer) -> None:
    service = a_service()
    typed = {"service": str(service.pk), "link": "https://example.com/a?b=c&d", "quantity": "100", "once": "x"}
    asked = client.post(reverse("portal:price"), typed, headers={"HX-Request": "true"}).headers["HX-Redirect"]
    sent = client.post(reverse("portal:new_order"), typed).headers["Location"]
    assert asked == sent
    page = client.post(sent, {"username": alice.user.email, "password": PASSWORD}, follow=True).content.decode()
    assert 'value="https://example.com/a?b=c&amp;d"' in page
    assert 'value="100"' in page
    assert not alice.orders.exists()


def test_what_is_too_long_for_an_address_is_left_out_of_it(client: Client) -> None:
    typed = {"service": "7", "link": "https://example.com/", "comments": "nice\n" * 2000}
    address = client.post(reverse("portal:new_order"), typed).headers["Location"]
    assert address == "/sign-in/?next=/order/new/%3Fservice%3D7%26link%3Dhttps%253A%252F%252Fexample.com%252F"


def test_a_form_sent_after_the_session_ended_leads_back_to_its_page_and_says_so(client: Client) -> None:
    headers = {"Referer": "http://testserver/order/mass/?from=3"}
    answer = client.post(reverse("portal:mass_order"), {"list": "1 | a | 1"}, headers=headers)
    assert answer.headers["Location"] == "/sign-in/?next=/order/mass/%3Ffrom%3D3"
    assert "nothing was done" in client.get(answer.headers["Location"]).content.decode()
    foreign = client.post(reverse("portal:mass_order"), {}, headers={"Referer": "https://evil.example/order/"})
    assert foreign.headers["Location"] == "/sign-in/?next=/"


def test_a_fragment_does_not_lead_off_the_site(client: Client) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "https://evil.example/testserver//evil.example/"}
    answer = client.get(reverse("portal:orders_live"), headers=headers)
    assert answer.headers["HX-Redirect"] == "/sign-in/?next=/"


def test_no_page_of_a_customer_stays_in_a_cache(as_alice: Client) -> None:
    for name in ("services", "orders", "funds", "callbacks"):
        control = as_alice.get(reverse(f"portal:{name}")).headers["Cache-Control"]
        assert "no-store" in control
        assert "private" in control


def test_pages_allow_nothing_from_elsewhere_and_nothing_inline(as_alice: Client) -> None:
    policy = as_alice.get(reverse("portal:orders")).headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_sign_in_leads_on_to_the_page_that_was_asked_for(client: Client, alice: Customer) -> None:
    asked = client.get(reverse("portal:funds"))
    done = client.post(asked.headers["Location"], {"username": "ALICE@example.com ", "password": PASSWORD})
    assert (done.status_code, done.headers["Location"]) == (302, reverse("portal:funds"))
