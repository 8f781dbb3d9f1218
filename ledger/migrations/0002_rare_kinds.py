"""Indexes for the few lines of a wallet that are no orders: deposits and corrections among a million charges."""

from django.db import migrations, models

from ledger.online_indexes import AddIndexOnline

RARE = models.Q(kind__in=("deposit", "bonus", "fee", "reversal", "correction"))


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("ledger", "0001_initial")]

    operations = [
        AddIndexOnline("transfer", models.Index(fields=["debit", "-id"], condition=RARE, name="transfer_debit_rare")),
        AddIndexOnline("transfer", models.Index(fields=["credit", "-id"], condition=RARE, name="transfer_credit_rare")),
    ]
