"""What each role may do: one table. The groups that hold the rights are made from it after every migration.

A right is a permission: Django's own for looking at, adding, editing and deleting rows (`orders.view_order`), and the
ones below for steps, in the words of what they do. An owner is a superuser and has them all; `manage_staff` is in no
row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from accounts.roles import Role

# What moves money, or opens and closes something: each is a right of its own (operations.models declares them).
STEPS: Mapping[str, str] = {
    "deposit": "Book a customer's deposit",
    "correct_balance": "Correct a customer's balance",
    "handle_keys": "Issue and revoke a customer's API keys",
    "close_customer": "Close and open a customer's account",
    "close_user": "Close and open a user's account",
    "set_password": "Set a customer's password",
    "take_factor_off": "Switch a customer's two-factor sign-in off",
    "decide_order": "Decide, release, settle or send an order again",
    "refund_order": "Give an order's charge back",
    "cancel_order": "Cancel an order",
    "refill_order": "Ask for and decide refills",
    "note_order": "Write a note on an order",
    "answer_problem": "Answer and resolve a customer's problem",
    "close_attention": "Close what needs a person",
    "ask_provider": "Ask a provider for its balance",
    "run_queue": "Pause, try and open a provider's queue",
    "set_exchange_rate": "Set what a provider's money is worth",
    "top_up": "Record money sent to a provider",
    "provider_access": "Change a provider's address and key",
    "import_services": "Import a provider's services",
    "run_job": "Run a background job now",
    "manage_staff": "Make staff, and change who has which role",
}

# Everything that has a page, by its model: what there is to look at.
LOOKED_AT = (
    "accounts.customer", "accounts.user", "callbacks.callbackaddress", "callbacks.callbackmessage", "catalog.category",
    "catalog.markuprule", "catalog.providerservice", "catalog.route", "catalog.service", "catalog.textrule",
    "conversations.thread", "ledger.account", "ledger.transfer", "news.announcement", "orders.order",
    "orders.refillrequest", "providers.provider", "records.attentionitem", "records.auditentry", "records.jobrun",
    "records.lease",
)  # fmt: skip


def _each(verb: str, models: Iterable[str]) -> frozenset[str]:
    return frozenset(f"{app}.{verb}_{model}" for app, model in (name.split(".") for name in models))


def _steps(*names: str) -> frozenset[str]:
    return frozenset(f"operations.{name}" for name in names)


SHELVES = ("catalog.category", "catalog.markuprule", "catalog.route", "catalog.service", "catalog.textrule")
_CATALOGUE = (
    _each("view", [*SHELVES, "catalog.providerservice", "providers.provider"])
    | _each("add", SHELVES)
    | _each("change", SHELVES)
    | _each("delete", ("catalog.category", "catalog.markuprule", "catalog.route", "catalog.textrule"))
    | _steps("import_services")
)
_SUPPORT = (
    _each(
        "view",
        [
            "accounts.customer", "callbacks.callbackaddress", "callbacks.callbackmessage", "catalog.category",
            "catalog.service", "conversations.thread", "orders.order", "orders.refillrequest", "records.attentionitem",
        ],
    )
    | _each("add", ["accounts.customer"])
    | _steps(
        "handle_keys", "close_customer", "cancel_order", "refill_order", "note_order", "answer_problem",
        "close_attention",
    )
)  # fmt: skip
_MANAGER = (
    _CATALOGUE
    | _SUPPORT
    | _each("view", LOOKED_AT)
    | _each("add", ["news.announcement", "providers.provider"])
    | _each("change", ["accounts.user", "news.announcement", "providers.provider"])
    | _each("delete", ["news.announcement"])
    | _steps(*(name for name in STEPS if name != "manage_staff"))
)

RIGHTS: Mapping[Role, frozenset[str]] = {
    Role.MANAGER: _MANAGER,
    Role.SUPPORT: _SUPPORT,
    Role.CATALOGUE: _CATALOGUE,
    Role.READ_ONLY: _each("view", LOOKED_AT),
}


def roles_with(right: str) -> list[Role]:
    """Who may do it, an owner first."""
    return [Role.OWNER, *(role for role, rights in RIGHTS.items() if right in rights)]


def write_groups(using: str, apps: Any) -> None:
    """Make the groups what the table says: a right that is not in it any more is taken away, and so is a group.

    Groups come from here alone, as no page shows them: one that is left over would be rights that nobody sees.
    """
    from django.apps import apps as installed
    from django.contrib.auth.management import create_permissions
    from django.contrib.auth.models import Group, Permission

    wanted = {right for rights in RIGHTS.values() for right in rights}
    for label in sorted({right.partition(".")[0] for right in wanted}):  # the signal may come before Django made them
        create_permissions(installed.get_app_config(label), verbosity=0, using=using, apps=apps)
    found = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.using(using).select_related("content_type")
    }
    for role, rights in RIGHTS.items():
        group, _ = Group.objects.using(using).get_or_create(name=role.value)
        group.permissions.set([found[right] for right in sorted(rights & found.keys())])  # all, once all is migrated
    Group.objects.using(using).exclude(name__in=[role.value for role in RIGHTS]).delete()


def after_migrate(*, using: str, apps: Any, plan: Any = None, **_: Any) -> None:
    """Django's signal. Where a migration took the tables of rights away there is nothing to write to."""
    try:
        apps.get_model("auth", "Group")
    except LookupError:
        return
    write_groups(using, apps)
