from django.db import migrations, models

RENAMED = {'wished_day': 'requested_day', 'wished_part': 'requested_time'}


def rename_in_events(apps, schema_editor, names=RENAMED):
    """Events keep their changes by field name."""
    events = apps.get_model('dispatch', 'JobEvent').objects.using(schema_editor.connection.alias)
    for event in events.filter(changes__has_any_keys=list(names)).iterator():
        event.changes = {names.get(name, name): change for name, change in event.changes.items()}
        event.save(update_fields=['changes'])


def restore_in_events(apps, schema_editor):
    rename_in_events(apps, schema_editor, {new: old for old, new in RENAMED.items()})


class Migration(migrations.Migration):

    dependencies = [
        ('dispatch', '0001_initial'),
    ]

    operations = [
        *(migrations.RenameField('job', old, new) for old, new in RENAMED.items()),
        migrations.RunPython(rename_in_events, restore_in_events),
        migrations.AlterField(
            model_name='customer',
            name='email',
            field=models.EmailField(blank=True, max_length=254),
        ),
        migrations.AlterField(
            model_name='job',
            name='contact_email',
            field=models.EmailField(blank=True, max_length=254, verbose_name='email'),
        ),
        migrations.AlterField(
            model_name='job',
            name='requested_day',
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name='job',
            name='requested_time',
            field=models.CharField(blank=True, choices=[('morning', 'Morning, 8 to 12'), ('afternoon', 'Afternoon, 12 to 5')], max_length=20),
        ),
        migrations.AlterField(
            model_name='textconsent',
            name='ip_address',
            field=models.GenericIPAddressField(blank=True, null=True, verbose_name='IP address'),
        ),
        migrations.AlterField(
            model_name='textconsent',
            name='text',
            field=models.TextField(),
        ),
        migrations.AlterField(
            model_name='textconsent',
            name='version',
            field=models.CharField(max_length=20),
        ),
    ]
