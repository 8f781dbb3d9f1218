"""Who may do what: every address of the admin and every action, for every role, as these tables say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.test import Client, RequestFactory
from django.urls import URLPattern, path, reverse

from accounts.models import User
from accounts.people import create_operator
from accounts.roles import Role, role_of
from operations.bulk import Bulk
from operations.roles import RIGHTS, STEPS, write_groups
from operations.steps import Step
from tests.operations.addresses import every_address, filled
from tests.operations.conftest import PASSWORD
from tests.operations.rows import some_of_each

pytestmark = pytest.mark.django_db
LETTERS: Mapping[str, Role | None] = {
    "O": Role.OWNER, "M": Role.MANAGER, "S": Role.SUPPORT, "C": Role.CATALOGUE, "R": Role.READ_ONLY, "-": None,
}  # fmt: skip
FORBIDDEN = 403
ADMINS: Mapping[str, Any] = {model._meta.label_lower: each for model, each in admin.site._registry.items()}

# model: who looks at its rows, adds, changes and deletes one by Django's own pages
PAGES: Mapping[str, tuple[str, str, str, str]] = {
    "accounts.customer": ("OMSR", "OMS", "OMSR", ""),  # its page has no form: what is posted there does nothing
    "accounts.user": ("OMR", "O", "OM", ""),
    "callbacks.callbackaddress": ("OMSR", "", "", ""),
    "callbacks.callbackmessage": ("OMSR", "", "", ""),
    "catalog.category": ("OMSCR", "OMC", "OMC", "OMC"),
    "catalog.markuprule": ("OMCR", "OMC", "OMC", "OMC"),
    "catalog.providerservice": ("OMCR", "", "", ""),
    "catalog.service": ("OMSCR", "OMC", "OMC", ""),
    "catalog.textrule": ("OMCR", "OMC", "OMC", "OMC"),
    "conversations.thread": ("OMSR", "", "OMSR", ""),
    "ledger.account": ("OMR", "", "", ""),
    "ledger.transfer": ("OMR", "", "", ""),
    "news.announcement": ("OMR", "OM", "OM", "OM"),
    "orders.order": ("OMSR", "", "OMSR", ""),
    "orders.refillrequest": ("OMSR", "", "", ""),
    "providers.provider": ("OMCR", "OM", "OM", ""),
    "records.attentionitem": ("OMSR", "", "", ""),
    "records.auditentry": ("OMR", "", "", ""),
    "records.jobrun": ("OMR", "", "", ""),
    "records.lease": ("OMR", "", "", ""),
}
# the addresses of our own
OWN: Mapping[str, str] = {
    "accounts_customer_deposit": "OM",
    "accounts_customer_correct": "OM",
    "accounts_customer_issue-key": "OMS",
    "accounts_customer_revoke-key": "OMS",
    "accounts_customer_factor-off": "OM",
    "accounts_customer_close": "OMS",
    "accounts_customer_open": "OMS",
    "accounts_user_role": "O",
    "accounts_user_password": "OM",
    "accounts_user_factor-off": "OM",
    "accounts_user_close": "OM",
    "accounts_user_open": "OM",
    "catalog_service_publish": "OMC",
    "catalog_service_hide": "OMC",
    "catalog_service_back-on-sale": "OMC",
    "catalog_service_off-sale": "OMC",
    "catalog_service_price": "OMC",
    "catalog_service_markup-price": "OMC",
    "catalog_service_follow": "OMC",
    "conversations_thread_answer": "OMS",
    "conversations_thread_resolve": "OMS",
    "conversations_thread_refill": "OMS",
    "conversations_thread_refund": "OM",
    "orders_order_exists": "OM",
    "orders_order_send-again": "OM",
    "orders_order_release": "OM",
    "orders_order_settle": "OM",
    "orders_order_settle-subscription": "OM",
    "orders_order_progress": "OM",
    "orders_order_refund": "OM",
    "orders_order_cancel": "OMS",
    "orders_order_refill": "OMS",
    "orders_order_note": "OMS",
    "providers_provider_import": "OMC",
    "providers_provider_test": "OM",
    "providers_provider_ask-balance": "OM",
    "providers_provider_pause": "OM",
    "providers_provider_try": "OM",
    "providers_provider_reopen": "OM",
    "providers_provider_exchange-rate": "OM",
    "providers_provider_top-up": "OM",
    "providers_provider_access": "OM",
    "records_attentionitem_decide": "OMS",
    "records_jobrun_run": "OM",
}
# what is done to many rows at once
ACTIONS: Mapping[str, str] = {
    "send_chosen_again": "OM", "refund_chosen": "OM", "close_chosen": "OMS", "publish_chosen": "OMC",
    "hide_chosen": "OMC", "confirm_chosen": "OMC", "price_chosen": "OMC", "markup_chosen": "OMC",
    "catalog.markuprule: delete_selected": "OMC", "catalog.textrule: delete_selected": "OMC",
}  # fmt: skip
# nobody's rows: in and out, and Django's ways to a row, which ask for the row's own right or find nothing
STAFFS = {
    "", "login/", "logout/", "password_change/", "password_change/done/", "jsi18n/", "search/",
    "r/<path:content_type_id>/<path:object_id>/", "<app_label>/", "<url>",
}  # fmt: skip
AUTOCOMPLETE = "autocomplete/"  # a test of its own


@pytest.fixture
def rows() -> Mapping[str, Any]:
    return some_of_each()


def somebody(role: Role | None) -> Client:
    """Staff in this role, or in none."""
    user = create_operator(email="stan@example.com", password=PASSWORD, role=role or Role.READ_ONLY)
    if role is None:
        user.groups.clear()
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def who(route: str, pattern: URLPattern) -> tuple[str, str]:
    """Who may look there and who may post there. Raises for an address that the tables do not know."""
    everybody = "".join(LETTERS)
    if route in STAFFS:
        return everybody, everybody
    label = ".".join(route.split("/")[:2])
    view, add, change, delete = PAGES[label]
    prefix = label.replace(".", "_")
    match pattern.name:
        case None if route.endswith("<path:object_id>/"):
            return everybody, everybody  # Django's old addresses of rows lead to the new ones
        case name if name == f"{prefix}_changelist" or name == f"{prefix}_history":
            return view, view
        case name if name == f"{prefix}_change":
            return view, change
        case name if name == f"{prefix}_add":
            return add, add
        case name if name == f"{prefix}_delete":
            return delete, delete
    return OWN[str(pattern.name)], OWN[str(pattern.name)]


@pytest.mark.parametrize("letter", LETTERS)
def test_every_address_is_open_to_whom_the_table_says_and_to_nobody_else(
    rows: Mapping[str, Any], letter: str
) -> None:
    client = somebody(LETTERS[letter])
    wrong = []
    for route, pattern in every_address():
        if route in (AUTOCOMPLETE, "logout/"):
            continue
        row = rows.get(".".join(route.split("/")[:2]))
        address = filled(route, object_id=row.pk if row else 1, app_label="catalog", url="nowhere", name="verify_books")
        looks, posts = who(route, pattern)
        seen = client.get(address).status_code
        if (seen == FORBIDDEN) == (letter in looks) or seen >= 500:
            wrong.append(f"GET {address}: {seen}")
        if letter not in posts and (sent := client.post(address, {"reason": "x"}).status_code) != FORBIDDEN:
            wrong.append(f"POST {address}: {sent}")
    assert wrong == []


def test_the_tables_know_every_address_and_no_other() -> None:
    names = {str(pattern.name) for route, pattern in every_address() if route not in STAFFS}
    for route, pattern in every_address():
        assert route == AUTOCOMPLETE or who(route, pattern)
    assert set(OWN) <= names
    assert set(PAGES) == set(ADMINS)


def test_an_address_that_the_tables_do_not_know_is_an_error() -> None:
    def view(*_: Any) -> Any: ...

    for route, name in (("orders/order/<int:object_id>/gift/", "orders_order_gift"), ("gifts/gift/", "gifts")):
        with pytest.raises(KeyError):
            who(route, path(route, view, name=name))


@pytest.mark.parametrize("letter", LETTERS)
def test_the_choices_of_a_list_open_by_the_right_to_look_at_them(rows: Mapping[str, Any], letter: str) -> None:
    asked = {"app_label": "catalog", "model_name": "markuprule", "field_name": "category"}
    answer = somebody(LETTERS[letter]).get("/admin/autocomplete/", asked)
    assert answer.status_code == (200 if letter in PAGES["catalog.category"][0] else FORBIDDEN)


@pytest.mark.parametrize("letter", LETTERS)
def test_every_action_of_a_list_is_offered_to_whom_the_table_says(letter: str) -> None:
    request = RequestFactory().get("/")
    somebody(LETTERS[letter])
    request.user = User.objects.get(email="stan@example.com")
    offered = set()
    for label, each in ADMINS.items():
        found = each.get_actions(request)
        offered |= {f"{label}: {name}" if name == "delete_selected" else name for name in found}
    assert offered == {name for name, letters in ACTIONS.items() if letter in letters}


@pytest.mark.parametrize("letter", "SCR-")
def test_an_action_that_is_not_offered_does_nothing(rows: Mapping[str, Any], letter: str) -> None:
    client = somebody(LETTERS[letter])
    service = rows["catalog.service"]
    form = {"action": "hide_chosen", "_selected_action": [service.pk], "index": "0", "decided": "1", "reason": "x"}
    client.post("/admin/catalog/service/", form)
    service.refresh_from_db()
    assert service.visible is (letter != "C")


def rights_of(each: Any) -> list[tuple[str, str]]:
    """What of an admin is ours, with the right that it needs; "" where it names none."""
    steps = [(step.name, step.right) for step in each.steps]
    actions = [(action.__name__, getattr(action, "right", "")) for action in each.actions or ()]
    prefix = f"{each.opts.app_label}_{each.opts.model_name}"
    djangos = {f"{prefix}_{name}" for name in ("changelist", "add", "history", "delete", "change")}
    own = [pattern for pattern in each.get_urls() if pattern.name is not None and pattern.name not in djangos]
    return [*steps, *actions, *((str(page.name), getattr(page.callback, "right", "")) for page in own)]


@pytest.mark.parametrize("label", sorted(ADMINS))
def test_every_step_action_and_page_of_our_own_names_a_right_that_there_is(label: str) -> None:
    known = {f"{each.content_type.app_label}.{each.codename}" for each in _permissions()}
    assert [name for name, right in rights_of(ADMINS[label]) if right not in known] == []


def test_a_page_without_a_right_would_be_found() -> None:
    class Open(type(ADMINS["news.announcement"])):  # type: ignore[misc]
        def get_urls(self) -> list[URLPattern]:
            return [path("gift/", self.changelist_view, name="gift"), *super().get_urls()]

    model = next(model for model in admin.site._registry if model._meta.label_lower == "news.announcement")
    assert ("gift", "") in rights_of(Open(model, admin.site))
    for kind in (Step, Bulk):
        assert kind.__dataclass_fields__["right"].default is kind.__dataclass_fields__["name"].default  # none


def test_every_right_of_the_table_is_asked_for_somewhere() -> None:
    asked = {right for each in ADMINS.values() for _, right in rights_of(each)}
    assert {f"operations.{name}" for name in STEPS} <= asked


@pytest.mark.parametrize("role", list(RIGHTS))
def test_who_may_take_a_step_may_look_at_what_it_is_for(role: Role) -> None:
    for label, each in ADMINS.items():
        app, model = label.split(".")
        for name, right in rights_of(each):
            assert right not in RIGHTS[role] or f"{app}.view_{model}" in RIGHTS[role], (label, name)


@pytest.mark.parametrize("letter", LETTERS)
def test_no_page_leads_its_reader_to_a_refusal(rows: Mapping[str, Any], letter: str) -> None:
    """The rail, the overview, lists, rows: whatever they lead to opens."""
    client = somebody(LETTERS[letter])
    pages = ["/admin/"]
    for label, row in rows.items():
        if letter in PAGES[label][0]:
            base = label.replace(".", "_")
            pages += [reverse(f"admin:{base}_changelist"), reverse(f"admin:{base}_change", args=[row.pk])]
    links = set()
    for page in pages:
        answer = client.get(page)
        assert answer.status_code == 200, page
        links |= set(re.findall(r'href="(/admin/[^"#]*)"', answer.content.decode()))
    refused = [link for link in sorted(links) if client.get(link.replace("&amp;", "&")).status_code == FORBIDDEN]
    assert refused == []
    index = client.get("/admin/").content.decode()
    rail = {label for label in PAGES if f'href="/admin/{label.replace(".", "/")}/"' in index}
    shown = {label for label in PAGES if letter in PAGES[label][0]} - {"orders.refillrequest"}  # it has no place there
    assert rail == shown


@pytest.mark.parametrize("letter", LETTERS)
def test_a_row_offers_the_steps_that_its_reader_may_take(rows: Mapping[str, Any], letter: str) -> None:
    request = RequestFactory().get("/")
    somebody(LETTERS[letter])
    request.user = User.objects.get(email="stan@example.com")
    for label, each in ADMINS.items():
        for button in each.buttons(request, rows[label]):
            assert letter in OWN[each.step_url_name(button.step)], button.step.name
    if letter == "O":
        assert {button.step.name for button in ADMINS["accounts.user"].buttons(request, rows["accounts.user"])} == {
            "role", "password", "close",
        }  # fmt: skip


def test_a_group_holds_what_the_table_says_and_nothing_else() -> None:
    for role, rights in RIGHTS.items():
        held = Group.objects.get(name=role.value).permissions.select_related("content_type")
        assert {f"{each.content_type.app_label}.{each.codename}" for each in held} == rights
    assert Group.objects.count() == len(RIGHTS)


def test_a_migration_takes_away_what_is_not_in_the_table() -> None:
    support = Group.objects.get(name=Role.SUPPORT.value)
    given = list(support.permissions.all())
    support.permissions.add(*Permission.objects.filter(codename__in=["deposit", "manage_staff"]))
    support.permissions.remove(given[0])
    Group.objects.create(name="Friends").permissions.add(Permission.objects.get(codename="deposit"))
    user = create_operator(email="stan@example.com", password=PASSWORD, role=Role.SUPPORT)
    for _ in range(2):
        call_command("migrate", verbosity=0)
        assert set(support.permissions.all()) == set(given)
        assert not Group.objects.filter(name="Friends").exists()
    assert role_of(User.objects.get(pk=user.pk)) is Role.SUPPORT


def test_groups_are_made_where_the_rights_are_not_there_yet() -> None:
    """A database's first migration: the signal of this room comes before Django's own."""
    from django.apps import apps

    Group.objects.all().delete()
    Permission.objects.all().delete()
    write_groups("default", apps)
    test_a_group_holds_what_the_table_says_and_nothing_else()


@pytest.mark.parametrize("app", ["auth", "account", "mfa", "axes"])
def test_other_packages_have_no_page_here(app: str, desk: Any) -> None:
    assert app not in {label.split(".")[0] for label in ADMINS}
    assert desk.client.get(f"/admin/{app}/").status_code == 404


def _permissions() -> Any:
    return Permission.objects.select_related("content_type")
