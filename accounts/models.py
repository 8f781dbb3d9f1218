"""People: users who sign in by e-mail, the customers among them with their wallets, and their API keys."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

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
