from argparse import ArgumentParser
from typing import Any

from deployments.models import Environment
from deployments.routing.maintenance import MaintenancePlan, switch_maintenance
from edge.backends import get_backend
from qdn.arguments import reason
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
        plan, changed = switch_maintenance(
            get_backend(),
            environment,
            on=options["state"] == "on",
            message=options["message"],
            reason=options["reason"],
            caller=self.caller(environment, options),
            dry_run=options["dry_run"],
        )
        if changed:
            self.summarise(f"{self._state(plan)}; the edge follows within seconds")
        elif plan.is_done:
            self.summarise(f"Nothing to do: {self._state(plan)} already")
        return {
            "environment": environment.name,
            "maintenance": plan.on,
            "message": plan.message or None,
            "changed": changed,
        }

    def _state(self, plan: MaintenancePlan) -> str:
        return f"{plan.environment} is {'' if plan.on else 'not '}in maintenance"
