"""Each wish gets its order's customer, a thousand at a time, and the index by it; cut off, it goes on where it was."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import OuterRef, Subquery

from orders.online_indexes import AddIndexOnline

ROWS = 1000


def fill(apps, schema_editor):
    customers = apps.get_model("orders", "Order").objects.filter(pk=OuterRef("order_id")).values("customer_id")
    for name in ("RefillRequest", "CancelRequest"):
        without = apps.get_model("orders", name).objects.filter(customer__isnull=True)
        while ids := list(without.order_by("pk").values_list("pk", flat=True)[:ROWS]):
            without.filter(pk__in=ids).update(customer_id=Subquery(customers[:1]))


def _customer():
    return models.ForeignKey(
        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.customer"
    )


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orders", "0009_whose_wish_it_is")]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AlterField("refillrequest", "customer", _customer()),
        migrations.AlterField("cancelrequest", "customer", _customer()),
        AddIndexOnline("refillrequest", models.Index(fields=["customer", "-id"], name="refill_of_customer")),
        AddIndexOnline("cancelrequest", models.Index(fields=["customer", "-id"], name="cancel_of_customer")),
    ]
