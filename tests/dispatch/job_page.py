"""The job page and job list of the admin, as a browser posts them."""

from typing import Any

from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils.timezone import localtime

from dispatch.admin.job_forms import JobForm
from dispatch.models import Job

LIST = "/admin/dispatch/job/"


def page_of(job):
    return reverse("admin:dispatch_job_change", args=[job.pk])


def posted(job, **changes):
    """Return what a browser posts from the job page: the fields shown, with `changes`."""
    form = JobForm(instance=Job.objects.get(pk=job.pk))
    data: dict[str, Any] = {}
    for name, field in form.fields.items():
        value = form.get_initial_for_field(field, name)
        if name.startswith("window"):
            value = value and localtime(value)
            data[f"{name}_0"] = value.strftime("%Y-%m-%d") if value else ""
            data[f"{name}_1"] = value.strftime("%H:%M:%S") if value else ""
        elif value not in (None, False):
            data[name] = value
    for prefix in ("events", "prices"):
        data |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    return data | changes


def errors_of(response):
    return response.context["adminform"].form.errors.as_data()


def press(desk, job, to, **changes):
    """Press the button of the job page that moves it, with `changes` typed into the form."""
    return desk.post(page_of(job), posted(job, move_to=to, **changes))


def act(desk, action, *jobs, **more):
    """Run an action of the job list."""
    data = {"action": action, "_selected_action": [job.pk for job in jobs], **more}
    return desk.post(LIST, data)


def texts(response):
    """Return the messages that the next page shows."""
    return [str(message) for message in get_messages(response.wsgi_request)]
