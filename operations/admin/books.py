"""The ledger, to look at: accounts and transfers. Nothing is posted from here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import Q
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from ledger.balances import balance_of
from ledger.models import Account, Transfer
from operations import words
from operations.admin.basis import Newest, ReadOnly, whole_number


@admin.register(Account)
class AccountAdmin(ReadOnly, Newest):
    panel = "operations/parts/account.html"
    list_display = ("number", "kind", "owner", "currency", "wallet_balance", "opened_at")
    list_filter = (("kind", ChoicesDropdownFilter),)
    list_select_related = ("customer__user", "provider")
    search_fields = ("pk",)
    search_help_text = "The account's id"

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Account], search_term: str
    ) -> tuple[models.QuerySet[Account], bool]:
        number = whole_number(search_term)
        return (queryset.filter(pk=number) if number is not None else queryset), False

    def facts(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """A house account keeps no balance: it is counted here, for the one account that is looked at."""
        return {"account": row, "held": words.amount(balance_of(row), row.currency)}

    @admin.display(description="Of")
    def owner(self, account: Account) -> str:
        for owned in ("customer", "provider"):
            if hasattr(account, owned):
                return str(getattr(account, owned))
        return "The house"

    @admin.display(description="Balance")
    def wallet_balance(self, account: Account) -> SafeString:
        return words.number(words.amount(account.balance))


@admin.register(Transfer)
class TransferAdmin(ReadOnly, Newest):
    list_display = ("number", "at", "kind", "moved", "taken_from", "given_to", "of_order", "reference")
    list_filter = (("kind", ChoicesDropdownFilter),)
    list_select_related = ("debit", "credit")
    search_fields = ("reference",)
    search_help_text = "A reference, exactly, or an order's id"

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        return lookup == "order_id__exact" or super().lookup_allowed(lookup, value, request)

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Transfer], search_term: str
    ) -> tuple[models.QuerySet[Transfer], bool]:
        """By an index each: the books are long."""
        term = search_term.strip()
        if not term:
            return queryset, False
        match, number = Q(reference=term), whole_number(term)
        return queryset.filter(match if number is None else match | Q(order_id=number)), False

    @admin.display(description="Amount")
    def moved(self, transfer: Transfer) -> SafeString:
        return words.number(words.amount(transfer.amount, transfer.debit.currency))

    @admin.display(description="From")
    def taken_from(self, transfer: Transfer) -> SafeString | str:
        return words.link_to("ledger.account", transfer.debit_id, str(transfer.debit))

    @admin.display(description="To")
    def given_to(self, transfer: Transfer) -> SafeString | str:
        return words.link_to("ledger.account", transfer.credit_id, str(transfer.credit))

    @admin.display(description="Order")
    def of_order(self, transfer: Transfer) -> SafeString | str:
        return words.NOTHING if transfer.order_id is None else words.link_to("orders.order", transfer.order_id)
