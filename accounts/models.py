"""People: users who sign in by e-mail, customers with their wallets, their API keys, sessions and letters."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac

from ledger.fields import MoneyField
from ledger.models import Account


class Users(BaseUserManager["User"]):
    """Makes users by e-mail; the address is kept in lower case, so that one person has one account."""

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """Someone who signs in. Staff see the operator's side; a user with a `customer` sees the portal."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=150, blank=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(default=timezone.now)
    time_zone = models.CharField(max_length=64, blank=True, help_text="Of the times on his pages. Empty: the panel's.")
    language = models.CharField(max_length=10, blank=True, help_text="Of pages and letters. Empty: the browser's.")
    sign_outs = models.PositiveIntegerField(
        default=0, help_text="How often he signed out elsewhere: ends older sessions."
    )

    objects: ClassVar[Users] = Users()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            # whatever way a user is made: two spellings of an address would be two people who cannot both sign in
            models.CheckConstraint(condition=Q(email=Lower("email")), name="email_in_lower_case")
        ]

    def __str__(self) -> str:
        return self.email

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What each of his sessions carries: with another password or after "sign out elsewhere" it fits no more.

        Until the first of these it is Django's own, so that sessions from before go on.
        """
        if not self.sign_outs:
            return super()._get_session_auth_hash(secret=secret)  # type: ignore[misc, no-any-return]
        told = f"{self.password}:{self.sign_outs}"
        return salted_hmac("accounts.User.session", told, secret=secret, algorithm="sha256").hexdigest()

    def clean(self) -> None:
        """Forms may be filled in with capitals; what is kept has none."""
        super().clean()
        self.email = self.email.strip().lower()


class Customer(models.Model):
    """Someone who buys: a user, and a wallet in the panel's currency."""

    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="customer")
    wallet = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="customer")
    repeat_seconds = models.PositiveIntegerField(
        default=0,
        help_text="A second identical API order within so long is answered with the first. 0: it is another order.",
    )
    unwanted_letters = models.JSONField(default=list, blank=True, help_text="The kinds that he does not want.")
    low_balance = MoneyField(null=True, blank=True, help_text="He is written to when his balance falls below it.")
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.user.email


class ApiKey(models.Model):
    """A key of a customer's scripts. Only a prefix and a hash are kept; the key itself is shown once."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=60, default="API key")
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: never.")
    addresses = models.JSONField(
        default=list, blank=True, help_text="Addresses and networks that may use it. Empty: any."
    )
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.prefix}… ({self.name})"


class Session(models.Model):
    """Where a user is signed in: beside Django's session, whose data cannot be searched by user."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    key = models.CharField(max_length=40, unique=True)
    started_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)
    address = models.CharField(max_length=45, blank=True)
    browser = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"{self.user_id} from {self.address}"


class Letter(models.Model):
    """An e-mail to be written: of which kind, to whom. Its text is made when it is sent, so no link of it is kept."""

    kind = models.CharField(max_length=30)
    address = models.EmailField()
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="letters")
    language = models.CharField(max_length=10, blank=True)
    facts = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now, null=True, help_text="Empty: nothing is to be done any more.")
    sent_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="letters_due"),
            models.Index(fields=["address", "created_at"], name="letters_of_address"),
            models.Index(fields=["created_at"], name="letters_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.address}"
