from argparse import ArgumentParser
from typing import Any

from deployments.models import Environment
from deployments.routing.maintenance import MaintenancePlan, plan_maintenance, set_maintenance
from edge.backends import get_backend
from qdn.arguments import reason
from qdn.console import actor
from qdn.switching import LockingCommand


class Command(LockingCommand):
    help = "Start or end maintenance: every page of an environment answers 503 with a message."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("state", choices=["on", "off"], metavar="STATE")
        parser.add_argument("--environment", required=True)
        parser.add_argument(
            "--message", help="text for the page, shown to viewers; at most 300 characters"
        )
        parser.add_argument("--reason", type=reason, default="", help="kept in the history")

    def run(self, **options: Any) -> dict[str, Any]:
        environment = Environment.objects.named(options["environment"])
        backend, on = get_backend(), options["state"] == "on"
        plan = plan_maintenance(backend, environment, on=on, message=options["message"])
        if plan.is_done:
            self.summarise(f"Nothing to do: {self._state(plan)} already")
            return self._result(plan, changed=False)
        for line in plan.lines():
            self.say(line)
        if options["dry_run"]:
            return self._result(plan, changed=False)
        self.confirm(environment, self._question(plan), yes=options["yes"])
        patience = self.patience(environment, options)
        self.so_far = "It is not known whether anything was changed."
        changed = set_maintenance(
            backend, plan, actor=actor(), reason=options["reason"], patience=patience, say=self.say
        )
        self.summarise(f"{self._state(plan)}; the edge follows within seconds")
        return self._result(plan, changed=changed)

    def _question(self, plan: MaintenancePlan) -> str:
        return f"Take {plan.environment} down?" if plan.on else f"Bring {plan.environment} back up?"

    def _state(self, plan: MaintenancePlan) -> str:
        return f"{plan.environment} is {'' if plan.on else 'not '}in maintenance"

    def _result(self, plan: MaintenancePlan, *, changed: bool) -> dict[str, Any]:
        return {
            "environment": plan.environment.name,
            "maintenance": plan.on,
            "message": plan.message or None,
            "changed": changed,
        }
