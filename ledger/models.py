"""Accounts and the transfers between them: double entry by construction.

A transfer takes `amount` from its debit account and adds it to its credit account, so an account's balance is its
credits less its debits and the sum over a currency is always zero. Transfers are never changed or deleted: the database
refuses it (`guards`).
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from ledger.fields import MoneyField


class Account(models.Model):
    """One currency's purse. Only wallets keep a running balance: orders must never queue on a house account's row."""

    class Kind(models.TextChoices):
        WALLET = "wallet", "Customer wallet"
        PROVIDER = "provider", "Prepaid at a provider"
        SALES = "sales", "Sales"
        COST = "cost", "Cost of sales"
        DEPOSITS = "deposits", "Deposits"
        BONUSES = "bonuses", "Bonuses"
        ADJUSTMENTS = "adjustments", "Adjustments"
        HELD = "held", "Held"
        FUNDING = "funding", "Money sent to providers"
        FEES = "fees", "Fees"

    kind = models.CharField(max_length=16, choices=Kind.choices)
    currency = models.CharField(max_length=12)
    balance = MoneyField(null=True, blank=True)
    floor = MoneyField(default=0)
    opened_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(balance__isnull=True) | Q(balance__gte=F("floor")), name="wallet_floor"),
            models.CheckConstraint(
                condition=Q(kind="wallet", balance__isnull=False) | (~Q(kind="wallet") & Q(balance__isnull=True)),
                name="only_wallets_keep_a_balance",
            ),
            models.UniqueConstraint(
                fields=["kind", "currency"],
                condition=~Q(kind__in=["wallet", "provider"]),
                name="one_house_account_a_currency",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk} ({self.currency})"


# Of a wallet: what it has in great number, by the side it stands on; and what comes a few times a month at most.
COMMON_KINDS = {"debit_id": ("charge", "hold"), "credit_id": ("refund", "release")}
RARE_KINDS = ("deposit", "bonus", "fee", "reversal", "correction")


class Transfer(models.Model):
    """Money that moved, once. `reference` says what for (`order:1234:charge`) and makes a second posting impossible."""

    class Kind(models.TextChoices):
        CHARGE = "charge", "Order"
        REFUND = "refund", "Refund"
        DEPOSIT = "deposit", "Deposit"
        BONUS = "bonus", "Bonus"
        FEE = "fee", "Fee"
        REVERSAL = "reversal", "Deposit taken back"
        CORRECTION = "correction", "Correction"
        HOLD = "hold", "Held"
        CAPTURE = "capture", "Captured"
        RELEASE = "release", "Released"
        OPENING = "opening", "Opening balance"
        TOP_UP = "top_up", "Top-up"
        COST = "cost", "Cost"
        COST_RETURN = "cost_return", "Cost given back"

    debit = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="debits", db_index=False)
    credit = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="credits", db_index=False)
    amount = MoneyField()
    value = MoneyField(null=True, blank=True, help_text="The same in the panel's currency, where it is another.")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    reference = models.CharField(max_length=150, unique=True)
    order_id = models.BigIntegerField(null=True, blank=True, db_index=True)
    note = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="transfer_amount_positive"),
            models.CheckConstraint(condition=~Q(debit=F("credit")), name="transfer_between_two_accounts"),
        ]
        indexes = [
            models.Index(fields=["debit", "-id"], name="transfer_debit"),
            models.Index(fields=["credit", "-id"], name="transfer_credit"),
            # What a wallet has few of, to be found among a million charges: see `narrowing`.
            models.Index(fields=["debit", "-id"], condition=Q(kind__in=RARE_KINDS), name="transfer_debit_rare"),
            models.Index(fields=["credit", "-id"], condition=Q(kind__in=RARE_KINDS), name="transfer_credit_rare"),
        ]

    def __str__(self) -> str:
        return self.reference


class Checkpoint(models.Model):
    """An account's balance over all transfers up to an id, cut where no older transaction can still commit."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="checkpoints")
    last_transfer_id = models.BigIntegerField()
    balance = MoneyField()
    cut_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "last_transfer_id"], name="one_checkpoint_a_cut")]

    def __str__(self) -> str:
        return f"{self.account_id} up to {self.last_transfer_id}"
