"""Keeping what is searched in step with the rows that `QuerySet.update` changes.

Rows that are saved or created make their own search text (dispatch.search.fields).
"""

from collections.abc import Iterable
from typing import Any

from django.db.models import Model

from dispatch.search.text import text_of_job
from dispatch.search.words import learn_words

# The fields of a job that its search text is made of.
OF_JOB = frozenset(
    {"customer", "contact_name", "contact_email", "address_line", "unit", "town", "zip_code"}
)


def renew_job(job: Any) -> None:
    """Renew the search text of a job. Call it in the transaction that has changed the job.

    The customer is read again: a new name that was saved in the meantime was written to the jobs
    before this one could be changed.
    """
    job.customer = type(job.customer)._base_manager.get(pk=job.customer_id)
    _renew([job])


def renew_jobs(customer: Any) -> None:
    """Renew the search texts of a customer's jobs, in the transaction that has changed it."""
    jobs = customer.jobs.select_for_update().order_by("pk")
    _renew([_with_customer(job, customer) for job in jobs])


def learn_jobs(jobs: Iterable[Any]) -> None:
    """Learn the words of jobs' streets, towns and names."""
    learn_words(
        value
        for job in jobs
        for value in (job.address_line, job.town, job.contact_name, job.customer.name)
    )


def _renew(jobs: list[Any]) -> None:
    changed = []
    for job in jobs:
        text = text_of_job(job)
        if text != job.search_text:
            job.search_text = text
            changed.append(job)
    if changed:
        manager: Any = type(changed[0])._base_manager
        manager.bulk_update(changed, ["search_text"], batch_size=500)
        learn_jobs(changed)


def _with_customer(job: Model, customer: Model) -> Model:
    job.customer = customer  # type: ignore[attr-defined]
    return job
