"""The average time of a service's last orders, and the index it is read from."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models
from django.db.models import Q

from orders.online_indexes import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("catalog", "0004_platforms_and_updates"),
        ("orders", "0010_wishes_of_a_customer"),
    ]

    operations = [
        migrations.CreateModel(
            name="Pace",
            fields=[
                (
                    "service",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="pace",
                        serialize=False,
                        to="catalog.service",
                    ),
                ),
                ("seconds", models.PositiveIntegerField(help_text="From placing to the end.")),
                ("measured_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        AddIndexOnline(
            "order",
            models.Index(
                fields=["service", "-ended_at"],
                condition=Q(status="Completed", ended_at__isnull=False, parent__isnull=True, runs__isnull=True),
                name="order_finished_of_service",
            ),
        ),
    ]
