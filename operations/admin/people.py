"""Customers with their wallets and keys, and the users behind customers and operators."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString

from accounts.calls import last_calls
from accounts.forms import UserForm
from accounts.models import Customer, User
from accounts.passwords import generate_password
from accounts.people import create_customer, create_operator
from accounts.roles import Role, role_of
from ledger.balances import statement
from operations import words
from operations.admin.basis import Desk, Newest, whole_number
from operations.customer_steps import STEPS, CustomerForm
from operations.person_steps import STAFF, StaffForm
from operations.person_steps import STEPS as PERSON_STEPS
from operations.refusals import REFUSALS
from operations.saving import save_row
from operations.steps import Secret, Step
from orders.models import Order
from records.audit import Actor

LOGIN_RIGHTS = {"operations.close_customer", "operations.take_factor_off"}


class _AddPerson:
    """An add page of its own: address, name, password; a password that was made up is shown once."""

    admin_site: Any
    opts: Any
    new_form: type[CustomerForm] = CustomerForm
    add_right: str
    add_title = ""
    add_says = ""

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_add"
        page = self.own_page("add/", self.add_page, self.add_right, name)  # type: ignore[attr-defined]
        return [page, *super().get_urls()]  # type: ignore[misc]

    @abstractmethod
    def make(self, actor: Actor, **fields: Any) -> Any:
        """The person of this kind, by the verb of the accounts room."""

    def add_page(self, request: HttpRequest) -> HttpResponse:
        form = self.new_form(request.POST or None)
        if request.method == "POST" and form.is_valid():
            typed = form.cleaned_data["password"]
            password = typed or generate_password()
            try:
                row = self.make(self.actor(request), **{**form.cleaned_data, "password": password})  # type: ignore[attr-defined]
            except REFUSALS as error:
                form.refuse(error)
            else:
                return self._added(request, row, "" if typed else password)
        context = {
            **self.admin_site.each_context(request),
            "title": self.add_title, "says": self.add_says, "form": form, "step": {"label": self.add_title},
            "back": reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"),
        }  # fmt: skip
        return TemplateResponse(request, "operations/step.html", context)

    def _added(self, request: HttpRequest, row: Any, password: str) -> HttpResponse:
        if not password:
            messages.success(request, f"{row} was added.")
            return self.back_to(row)  # type: ignore[attr-defined,no-any-return]
        secret = Secret(f"{row} was added. This is the password; it is shown now and never again.", password)
        context = {
            **self.admin_site.each_context(request),
            "title": self.add_title, "secret": secret, "back": self.page_of(row),  # type: ignore[attr-defined]
        }  # fmt: skip
        return TemplateResponse(request, "operations/secret.html", context)


@admin.register(Customer)
class CustomerAdmin(_AddPerson, Newest):
    steps = STEPS
    add_right = "accounts.add_customer"
    add_title = "Add customer"
    add_says = "A customer signs in with the e-mail address and starts with an empty wallet."
    list_display = ("number", "email", "name", "balance", "signs_in", "joined")
    list_display_links = ("number", "email")
    list_select_related = ("user", "wallet")
    search_fields = ("user__email", "user__name")
    search_help_text = "Id, or a part of the e-mail address or name"

    def make(self, actor: Actor, **fields: Any) -> Customer:
        return create_customer(actor=actor, **fields)

    def may_take(self, request: HttpRequest, step: Step, row: Any) -> bool:
        """Getting in is an owner's matter where the customer is staff too."""
        its_login = step.right in LOGIN_RIGHTS and row.user.is_staff
        return super().may_take(request, step, row) and (not its_login or request.user.has_perm(STAFF))

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Customer], search_term: str
    ) -> tuple[models.QuerySet[Customer], bool]:
        term = search_term.strip()
        number = whole_number(term)
        match = Q(user__email__icontains=term) | Q(user__name__icontains=term)
        return queryset.filter(match if number is None else match | Q(pk=number)), False

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Customer]:
        return super().get_queryset(request).select_related("user", "wallet")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The customer's page: facts, what can be done, the statement by pages of lines."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        number = whole_number(object_id)
        if number is None:
            raise Http404
        customer = self.row_for_step(request, number)
        context = {
            **self.admin_site.each_context(request),
            "title": str(customer),
            "model_admin": self,
            "customer_row": customer,
            "buttons": self.buttons(request, customer),
            "balance": words.amount(customer.wallet.balance, customer.wallet.currency),
            "keys": customer.api_keys.order_by("-id"),
            "calls": last_calls(customer)[: settings.OPERATIONS_CALLS_SHOWN],
            "latest": Order.objects.filter(customer=customer, parent__isnull=True).order_by("-id")[:5],
            **_statement(request, customer),
        }
        return TemplateResponse(request, "operations/customer.html", context)

    @admin.display(description="E-mail")
    def email(self, customer: Customer) -> str:
        return customer.user.email

    @admin.display(description="Name")
    def name(self, customer: Customer) -> str:
        return customer.user.name or words.NOTHING

    @admin.display(description="Balance")
    def balance(self, customer: Customer) -> SafeString:
        return words.number(words.amount(customer.wallet.balance, customer.wallet.currency))

    @admin.display(description="Account")
    def signs_in(self, customer: Customer) -> SafeString:
        return words.state("open", "Open") if customer.user.is_active else words.state("paused", "Closed")

    @admin.display(description="Since")
    def joined(self, customer: Customer) -> str:
        return words.ago(customer.created_at)


def _statement(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    size = settings.OPERATIONS_STATEMENT_PAGE
    before = whole_number(request.GET.get("before", ""))
    lines = statement(customer.wallet, before_id=before, limit=size + 1)
    shown = [
        {
            "line": line,
            "kind": line.kind.label,
            "amount": words.amount(line.amount),
            "after": words.amount(line.balance_after),
        }
        for line in lines[:size]
    ]
    return {"lines": shown, "older": lines[size - 1].id if len(lines) > size else None, "not_first": before is not None}


@admin.register(User)
class UsersAdmin(_AddPerson, Desk):
    """Staff, and the users behind customers. Whoever is staff is an owner's to change."""

    form = UserForm
    steps = PERSON_STEPS
    new_form = StaffForm
    add_right = STAFF
    add_title = "Add staff"
    add_says = "Staff see and do here what their role says. Customers are added on their own list."
    list_display = ("email", "name", "role", "is_active", "last_login")
    list_filter = ("is_staff", "is_active")
    search_fields = ("email", "name")
    ordering = ("-is_staff", "email")
    list_select_related = ("customer",)
    readonly_fields = ("role", "is_active", "last_login")
    fields = ("email", "name", "role", "is_active", "last_login")

    def make(self, actor: Actor, **fields: Any) -> User:
        return create_operator(actor=actor, **{**fields, "role": Role(fields["role"])})

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[User]:
        people: models.QuerySet[User] = super().get_queryset(request)
        return people.prefetch_related("groups")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(STAFF)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes who stands above him: a new address would be a way up."""
        if obj is not None and (obj.is_superuser or obj.is_staff) and not request.user.has_perm(STAFF):
            return False
        return super().has_change_permission(request, obj)

    def may_take(self, request: HttpRequest, step: Step, row: Any) -> bool:
        return super().may_take(request, step, row) and (not row.is_staff or request.user.has_perm(STAFF))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        save_row(obj, changed=form.changed_data, actor=self.actor(request), action="edit user")

    @admin.display(description="Role")
    def role(self, user: User) -> str:
        if user.is_staff:
            role = role_of(user)
            return str(role.label) if role is not None else "Staff without a role"
        return "Customer" if hasattr(user, "customer") else words.NOTHING
