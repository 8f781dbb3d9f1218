"""Refills and cancellations name their customer, who has few among millions. They are filled in by the next migration."""

import django.db.models.deletion
from django.db import migrations, models


def _customer() -> models.ForeignKey:
    return models.ForeignKey(
        db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.customer'
    )


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_sessions_and_letters'),
        ('orders', '0008_mass_orders_in_any_language'),
    ]

    operations = [
        migrations.AddField('refillrequest', 'customer', _customer()),
        migrations.AddField('cancelrequest', 'customer', _customer()),
    ]
