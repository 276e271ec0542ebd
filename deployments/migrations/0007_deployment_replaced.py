from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("deployments", "0006_maintenance_reason")]

    operations = [migrations.RenameField("deployment", "previous", "replaced")]
