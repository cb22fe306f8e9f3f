import json

from django.db import migrations, models


def number_snapshots(apps, schema_editor):
    """Publications so far get their numbers in the order in which they were made."""
    Snapshot = apps.get_model("leaderboard", "Snapshot")
    for number, snapshot in enumerate(Snapshot.objects.order_by("id"), start=1):
        snapshot.number = number
        snapshot.head = json.loads(snapshot.document)["head"]
        snapshot.published_at = snapshot.published_at or snapshot.created_at
        snapshot.save(update_fields=["number", "head", "published_at"])


class Migration(migrations.Migration):

    dependencies = [
        ("leaderboard", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Draft",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("document", models.TextField()),
                ("engine", models.CharField(max_length=40)),
                ("category", models.SlugField(default="overall", max_length=80)),
                ("counted", models.PositiveBigIntegerField()),
                ("votes_state", models.CharField(db_index=True, max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="snapshot",
            name="number",
            field=models.PositiveBigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="snapshot",
            name="head",
            field=models.CharField(max_length=64, default=""),
            preserve_default=False,
        ),
        migrations.RunPython(number_snapshots, migrations.RunPython.noop, elidable=True),
    ]
