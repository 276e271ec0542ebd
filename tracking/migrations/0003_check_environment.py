from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tracking", "0002_due_revisions")]

    operations = [
        migrations.AddField(
            model_name="trackingcheck",
            name="environment",
            field=models.CharField(default="production", max_length=30),
            preserve_default=False,
        ),
    ]
