"""The two environments every installation has, with the hosts of a development machine."""

from django.db import migrations

ENVIRONMENTS = [
    {"name": "staging", "hosts": ["staging.localhost"], "protected": False},
    {"name": "production", "hosts": ["localhost", "127.0.0.1"], "protected": True},
]


def create(apps, schema_editor):
    environments = apps.get_model("deployments", "Environment").objects
    for fields in ENVIRONMENTS:
        environments.get_or_create(name=fields["name"], defaults=fields)


class Migration(migrations.Migration):
    dependencies = [("deployments", "0001_initial")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
