"""Indexes for a customer's search by service, link and day; ended orders of before get the key of their link."""

from django.db import migrations, models

from catalog.links import link_key
from orders.online_indexes import AddIndexOnline

ROWS = 1000
SOLD = models.Q(parent__isnull=True)


def fill(apps, schema_editor):
    Order = apps.get_model("orders", "Order")
    last = 0
    while True:
        without = Order.objects.filter(link_key="", pk__gt=last).exclude(link="").order_by("pk")
        rows = list(without.only("pk", "link")[:ROWS])
        if not rows:
            return
        last = rows[-1].pk
        for row in rows:
            row.link_key = link_key(row.link)
        Order.objects.bulk_update(rows, ["link_key"])


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orders", "0005_link_keys_of_open_orders")]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        AddIndexOnline(
            "order",
            models.Index(fields=["customer", "service", "-id"], condition=SOLD, name="order_of_customer_service"),
        ),
        AddIndexOnline(
            "order",
            models.Index(fields=["customer", "link_key", "-id"], condition=SOLD, name="order_of_customer_link"),
        ),
        AddIndexOnline(
            "order",
            models.Index(fields=["customer", "created_at", "id"], condition=SOLD, name="order_of_customer_day"),
        ),
    ]
