"""Why a list stopped is kept as what it was made of, so that it can be said in its reader's language."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def note_to_why(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """A text that was kept before stays that text."""
    lists = apps.get_model("orders", "MassOrder").objects.using(schema_editor.connection.alias)
    for pk, note in lists.exclude(note="").values_list("pk", "note").iterator():
        lists.filter(pk=pk).update(why=note)


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0007_mass_orders'),
    ]

    operations = [
        migrations.AddField(
            model_name='massorder',
            name='why',
            field=models.JSONField(blank=True, help_text='Why it stopped or is asked again (catalog.sentences).', null=True),
        ),
        migrations.RunPython(note_to_why, migrations.RunPython.noop),
        migrations.RemoveField(model_name='massorder', name='note'),
    ]
