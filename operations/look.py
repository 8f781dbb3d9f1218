"""How the operator's side looks and where its rail leads: the settings of its theme (unfold).

Read by the settings module while Django is still starting, so nothing here may import a model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy

# How much of the accent each shade has: lighter ones are mixed with white, darker ones with black. The theme writes on
# dark ground in 400 and 500, so these are light enough to be read there.
SHADES = {"50": 6, "100": 12, "200": 25, "300": 35, "400": 50, "500": 65, "600": 100}
DARK_SHADES = {"700": 85, "800": 70, "900": 55, "950": 40}


def theme(*, name: str, accent: str, logo: bool) -> dict[str, Any]:
    """The value of the setting UNFOLD."""
    return {
        "SITE_TITLE": f"{name} operations",
        "SITE_HEADER": name,
        "SITE_SUBHEADER": "Operations",
        "SITE_SYMBOL": "monitoring",
        "SITE_URL": None,  # the portal is for customers: an operator has no wallet
        "SHOW_VIEW_ON_SITE": False,
        "SHOW_HISTORY": False,  # the audit trail is the history
        "SHOW_BACK_BUTTON": True,
        "DASHBOARD_CALLBACK": "operations.dashboard.first_screen",
        "SITE_FAVICONS": [{"rel": "icon", "href": (lambda request: reverse("portal:logo")) if logo else _icon}],
        "STYLES": [_style_sheet],
        "COLORS": {"primary": _shades(accent)},
        "ACCOUNT": {"navigation": [{"title": "Account and two-factor", "link": reverse_lazy("portal:account")}]},
        "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": _rail()},
    }


def _icon(request: HttpRequest) -> str:
    return static("icon.svg")


def _style_sheet(request: HttpRequest) -> str:
    return static("operations/desk.css")


def _shades(accent: str) -> Mapping[str, str]:
    lighter = {shade: f"color-mix(in oklab, {accent} {share}%, white)" for shade, share in SHADES.items()}
    darker = {shade: f"color-mix(in oklab, {accent} {share}%, black)" for shade, share in DARK_SHADES.items()}
    return lighter | darker


def _rail() -> list[dict[str, Any]]:
    return [
        {
            "items": [
                _place("Overview", "space_dashboard", "index", permission=None),
                _place("Needs a person", "notification_important", "records_attentionitem_changelist"),
                _place("Orders", "receipt_long", "orders_order_changelist"),
                _place("Customers", "group", "accounts_customer_changelist"),
                _place("Problems", "forum", "conversations_thread_changelist"),
                _place("Announcements", "campaign", "news_announcement_changelist"),
            ]
        },
        {
            "title": "Catalogue",
            "separator": True,
            "items": [
                _place("Providers", "lan", "providers_provider_changelist"),
                _place("Services", "sell", "catalog_service_changelist"),
                _place("Categories", "shelves", "catalog_category_changelist"),
                _place("Markup", "percent", "catalog_markuprule_changelist"),
                _place("Text rules", "find_replace", "catalog_textrule_changelist"),
                _place("Provider services", "inventory_2", "catalog_providerservice_changelist"),
            ],
        },
        {
            "title": "Books and records",
            "separator": True,
            "items": [
                _place("Accounts", "account_balance", "ledger_account_changelist"),
                _place("Transfers", "sync_alt", "ledger_transfer_changelist"),
                _place("Callbacks", "webhook", "callbacks_callbackmessage_changelist"),
                _place("Callback addresses", "link", "callbacks_callbackaddress_changelist"),
                _place("Audit trail", "history_edu", "records_auditentry_changelist"),
                _place("Background jobs", "schedule", "records_jobrun_changelist"),
                _place("Leases", "lock_clock", "records_lease_changelist"),
                _place("Users", "admin_panel_settings", "accounts_user_changelist"),
            ],
        },
    ]


def _place(title: str, icon: str, page: str, *, permission: str | None = "") -> dict[str, Any]:
    """One entry; it shows to those who may view what it leads to."""
    place: dict[str, Any] = {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{page}")}
    if permission is not None:
        app, model, _ = page.split("_", 2)
        place["permission"] = _may_view(f"{app}.view_{model}")
    return place


def _may_view(permission: str) -> Any:
    def allowed(request: HttpRequest) -> bool:
        return request.user.has_perm(permission)

    return allowed
