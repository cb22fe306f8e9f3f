import secrets

from django.db import migrations, models

import arena.voters.models


def give_salts(apps, schema_editor):
    turns = apps.get_model("battles", "Turn")
    batch = []
    for turn in turns.objects.only("pk").iterator(chunk_size=2000):
        turn.salt = secrets.token_hex(16)
        batch.append(turn)
        if len(batch) == 2000:
            turns.objects.bulk_update(batch, ["salt"])
            batch = []
    turns.objects.bulk_update(batch, ["salt"])


class Migration(migrations.Migration):

    dependencies = [
        ("battles", "0001_initial"),
        ("voters", "0002_pseudonym"),
    ]

    operations = [
        migrations.AlterField(
            model_name="turn",
            name="prompt",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="turn",
            name="salt",
            field=models.CharField(
                blank=True,
                default=arena.voters.models.new_key,
                editable=False,
                max_length=32,
            ),
        ),
        migrations.RunPython(give_salts, migrations.RunPython.noop),
    ]
