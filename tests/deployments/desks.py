"""An operator who uses the pages of an environment in the admin."""

from django.urls import reverse
from django_q.models import OrmQ

from deployments import tasks
from deployments.models import Operation


class Desk:
    """An operator who uses the pages of an environment."""

    def __init__(self, client, environment):
        self.client, self.environment = client, environment

    def address(self, name, *args):
        return reverse(f"admin:deployments_environment_{name}", args=[self.environment.pk, *args])

    def open(self, kind, **query):
        return self.client.get(self.address("deploy", kind), query)

    def confirm(self, kind, *, reason="Approved", seen=None, **query):
        """Open the page and confirm what it shows."""
        page = self.open(kind, **query)
        shown = page.context["form"].initial.get("seen", "")
        address = page.wsgi_request.get_full_path()
        return self.client.post(address, {"reason": reason, "seen": seen or shown})

    def do(self, kind, **kwargs):
        """Confirm, and run the task as the cluster does."""
        answer = self.confirm(kind, **kwargs)
        assert answer.status_code == 302, answer.context.get("refusal")
        run_tasks()
        return Operation.objects.latest("pk")

    def steps(self, operation):
        return self.client.get(self.address("steps", operation.pk)).content.decode()


def run_tasks():
    for queued in OrmQ.objects.all():
        task = queued.task
        assert task["func"] == "deployments.tasks.run_operation"
        queued.delete()
        tasks.run_operation(*task["args"])


def lines(operation):
    return [step.line for step in operation.steps.all()]
