from argparse import ArgumentParser
from typing import Any

from deployments.deploy.freezes import check_freeze, freeze
from deployments.models import Environment
from deployments.wording import format_time
from qdn.arguments import moment, reason
from qdn.console import DeployCommand, actor


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
        given = {"reason": options["reason"], "until": options["until"]}
        check_freeze(**given)
        until = given["until"]
        end = f"until {format_time(until)}" if until else "until: manage.py unfreeze"
        if options["dry_run"]:
            self.summarise(f"Would freeze {environment} {end}: {given['reason']}")
        else:
            self.confirm(environment, f"Freeze {environment}?", yes=options["yes"])
            freeze(environment=environment, actor=actor(), **given)
            self.summarise(f"{environment} is frozen {end}: {given['reason']}")
        return {
            "environment": environment.name,
            "reason": given["reason"],
            "until": until.isoformat() if until else None,
        }
