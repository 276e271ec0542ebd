from argparse import ArgumentParser
from typing import Any

from deployments.deploy.freezes import check_freeze, freeze
from deployments.models import Environment
from deployments.wording import format_time
from qdn.console import DeployCommand, actor
from qdn.moments import moment
from qdn.reasons import reason


class Command(DeployCommand):
    help = "Stop deployments to an environment, with a reason; rollbacks go on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--environment", default="production")
        parser.add_argument(
            "--reason", type=reason, required=True, help="told to whoever is stopped"
        )
        parser.add_argument("--until", type=moment, metavar="TIME", help="when it ends by itself")

    def run(self, **options: Any) -> dict[str, Any]:
        environment = Environment.objects.named(options["environment"])
        reason, until = options["reason"], options["until"]
        check_freeze(reason=reason, until=until)
        result = {
            "environment": environment.name,
            "reason": reason,
            "until": until.isoformat() if until else None,
        }
        end = f"until {format_time(until)}" if until else "until: manage.py unfreeze"
        if options["dry_run"]:
            self.summarise(f"Would freeze {environment} {end}: {reason}")
            return result
        self.confirm(environment, f"Freeze {environment}?", yes=options["yes"])
        freeze(environment=environment, reason=reason, actor=actor(), until=until)
        self.summarise(f"{environment} is frozen {end}: {reason}")
        return result
