"""Search text of jobs and customers, the words of it, and what else finds rows quickly."""

from itertools import islice

from django.db import migrations, models

from dispatch.search.index import drop_indexes, make_indexes
from dispatch.search.text import text_of_customer, text_of_job
from dispatch.search.words import words_of

AT_ONCE = 2_000


def fill(apps, schema_editor):
    """Write the texts of all rows, some at a time, before there is an index to keep."""
    connection = schema_editor.connection
    customers = apps.get_model("dispatch", "Customer").objects.using(connection.alias)
    jobs = apps.get_model("dispatch", "Job").objects.using(connection.alias)
    found = set()
    for batch in batches(customers.only("name", "phone", "email")):
        write(connection, "dispatch_customer", batch, text_of_customer)
        found |= words_of(customer.name for customer in batch)
    for batch in batches(jobs.select_related("customer")):
        write(connection, "dispatch_job", batch, text_of_job)
        found |= words_of(
            value for job in batch for value in (job.address_line, job.town, job.contact_name)
        )
    Word = apps.get_model("dispatch", "Word")
    Word.objects.using(connection.alias).bulk_create(
        (Word(search_text=f" {word} ") for word in sorted(found)), batch_size=AT_ONCE
    )


def batches(rows):
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk")[:AT_ONCE]):
        yield batch
        last = batch[-1].pk


def write(connection, table, rows, make):
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {table} SET search_text = %s WHERE id = %s",
            [(make(row), row.pk) for row in rows],
        )


class Migration(migrations.Migration):
    dependencies = [("dispatch", "0006_the_day")]

    operations = [
        migrations.CreateModel(
            name="Word",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("search_text", models.TextField(unique=True)),
            ],
        ),
        migrations.AddField(
            "customer", "search_text", models.TextField(default="", editable=False)
        ),
        migrations.AddField("job", "search_text", models.TextField(default="", editable=False)),
        migrations.AlterField(
            "job",
            "crew",
            models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=models.deletion.PROTECT,
                related_name="jobs",
                to="dispatch.crew",
            ),
        ),
        migrations.AlterField(
            "job",
            "service",
            models.ForeignKey(
                db_index=False,
                on_delete=models.deletion.PROTECT,
                related_name="jobs",
                to="dispatch.servicetype",
            ),
        ),
        migrations.AlterField(
            "job",
            "status",
            models.CharField(
                choices=[
                    ("requested", "Requested"),
                    ("scheduled", "Scheduled"),
                    ("on_site", "Dumpster on site"),
                    ("ready_for_pickup", "Ready for pickup"),
                    ("en_route", "Crew on the way"),
                    ("in_progress", "In progress"),
                    ("completed", "Completed"),
                    ("cancelled", "Cancelled"),
                ],
                default="requested",
                max_length=20,
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddIndex(
            "job", models.Index(fields=["status", "number"], name="job_by_status")
        ),
        migrations.AddIndex(
            "job", models.Index(fields=["service", "number"], name="job_by_service")
        ),
        migrations.AddIndex(
            "job",
            models.Index(
                condition=models.Q(("crew__isnull", False)),
                fields=["crew", "number"],
                name="job_by_crew",
            ),
        ),
        migrations.AddIndex(
            "job",
            models.Index(
                condition=models.Q(("is_open", True)),
                fields=["crew", "window_start"],
                name="open_job_by_crew",
            ),
        ),
        migrations.AddIndex(
            "job",
            models.Index(
                condition=models.Q(("crew__isnull", True)),
                fields=["number"],
                name="job_without_crew",
            ),
        ),
        migrations.AddIndex("job", models.Index(fields=["created_at"], name="job_by_creation")),
        migrations.AddIndex(
            "job",
            models.Index(
                condition=models.Q(("on_hold", True)), fields=["number"], name="held_job"
            ),
        ),
        migrations.AddIndex(
            "job",
            models.Index(
                condition=models.Q(("access_notes", ""), _negated=True),
                fields=["number"],
                name="job_with_notes",
            ),
        ),
        # After what copies the table in SQLite, which takes the triggers away.
        migrations.RunPython(
            lambda apps, schema_editor: make_indexes(schema_editor.connection),
            lambda apps, schema_editor: drop_indexes(schema_editor.connection),
        ),
    ]
