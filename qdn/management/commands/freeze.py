from argparse import ArgumentParser
from typing import Any

from deployments.deploy.freezes import request_freeze
from deployments.models import Environment
from deployments.wording import format_time
from qdn.arguments import moment, reason
from qdn.console import DeployCommand


class Command(DeployCommand):
    help = "Stop deployments to an environment and say why; rollbacks are still allowed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--environment", default="production")
        parser.add_argument(
            "--reason", type=reason, required=True, help="shown when a deployment is refused"
        )
        parser.add_argument("--until", type=moment, metavar="TIME", help="when the freeze ends")

    def run(self, **options: Any) -> dict[str, Any]:
        environment = Environment.objects.named(options["environment"])
        reason, until = options["reason"], options["until"]
        request_freeze(
            environment,
            reason=reason,
            until=until,
            caller=self.caller(environment, options),
            dry_run=options["dry_run"],
        )
        end = f"until {format_time(until)}" if until else "until: manage.py unfreeze"
        done = f"Would freeze {environment}" if options["dry_run"] else f"{environment} is frozen"
        self.summarise(f"{done} {end}: {reason}")
        return {
            "environment": environment.name,
            "reason": reason,
            "until": until.isoformat() if until else None,
        }
