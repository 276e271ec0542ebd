"""The counter of job numbers: no number may be used twice."""

from django.db import connection, transaction

from dispatch.models import Counter

JOB = "job"
FIRST_NUMBER = 1001
# Both in one statement, which SQLite and PostgreSQL have and Django has not.
RAISE_NUMBER = "UPDATE dispatch_counter SET value = value + %s WHERE name = 'job' RETURNING value"


def take_numbers(count: int) -> range:
    """Return the next job numbers; the counter's row stays locked until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(RAISE_NUMBER, [count])
        row = cursor.fetchone()
        if row is None:
            Counter.objects.get_or_create(name=JOB, defaults={"value": FIRST_NUMBER - 1})
            cursor.execute(RAISE_NUMBER, [count])
            row = cursor.fetchone()
    last = int(row[0])
    return range(last - count + 1, last + 1)


def last_number() -> int:
    """Return the highest job number that was given out, or 0."""
    return Counter.objects.filter(name=JOB).values_list("value", flat=True).first() or 0


@transaction.atomic
def raise_last_number(number: int) -> None:
    """Continue after `number`, unless the counter is already there or higher."""
    Counter.objects.get_or_create(name=JOB, defaults={"value": number})
    Counter.objects.filter(name=JOB, value__lt=number).update(value=number)
