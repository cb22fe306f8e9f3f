import secrets

from django.db import migrations, models

import arena.voters.models


def give_pseudonyms(apps, schema_editor):
    voters = apps.get_model("voters", "Voter")
    batch = []
    for voter in voters.objects.only("pk").iterator(chunk_size=2000):
        voter.pseudonym = secrets.token_hex(16)
        batch.append(voter)
        if len(batch) == 2000:
            voters.objects.bulk_update(batch, ["pseudonym"])
            batch = []
    voters.objects.bulk_update(batch, ["pseudonym"])


class Migration(migrations.Migration):

    dependencies = [
        ("voters", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="voter",
            name="network_at",
            field=models.DateTimeField(blank=True, help_text="When it was last seen.", null=True),
        ),
        migrations.AddField(
            model_name="voter",
            name="pseudonym",
            field=models.CharField(editable=False, max_length=32, null=True),
        ),
        migrations.RunPython(give_pseudonyms, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="voter",
            name="pseudonym",
            field=models.CharField(
                default=arena.voters.models.new_key, editable=False, max_length=32, unique=True
            ),
        ),
    ]
