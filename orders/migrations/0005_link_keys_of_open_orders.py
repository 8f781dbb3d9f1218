"""Open orders of before get the key of their link, so that a second order for it meets them."""

from django.db import migrations

from catalog.links import link_key

ROWS = 1000


def fill(apps, schema_editor):
    Order = apps.get_model("orders", "Order")
    last = 0
    while True:
        open_orders = Order.objects.filter(ended_at__isnull=True, link_key="", pk__gt=last).order_by("pk")
        rows = list(open_orders.only("pk", "link")[:ROWS])
        if not rows:
            return
        last = rows[-1].pk
        for row in rows:
            row.link_key = link_key(row.link)
        Order.objects.bulk_update(rows, ["link_key"])


class Migration(migrations.Migration):
    dependencies = [("orders", "0004_absent_and_overdue")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
