import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Apart from 0002: PostgreSQL does not alter a table whose rows have just been changed."""

    dependencies = [
        ("leaderboard", "0002_publications"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="snapshot",
            options={"ordering": ("-number",)},
        ),
        migrations.AlterField(
            model_name="snapshot",
            name="number",
            field=models.PositiveBigIntegerField(unique=True),
        ),
        migrations.AlterField(
            model_name="snapshot",
            name="published_at",
            field=models.DateTimeField(db_index=True),
        ),
        migrations.CreateModel(
            name="HeadPost",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("filed_at", models.DateTimeField(blank=True, null=True)),
                ("posted_at", models.DateTimeField(blank=True, null=True)),
                ("snapshot", models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name="head_post", to="leaderboard.snapshot")),
            ],
            options={
                "ordering": ("snapshot__number",),
            },
        ),
    ]
