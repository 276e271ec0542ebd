import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from deployments.stacks.policies import role_policy
from edge.provisioning.iam import Role
from qdn.console import OperatorCommand


class Command(OperatorCommand):
    help = "Print the least-privilege IAM policy of a role, as JSON."
    changes_something = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--role", required=True, choices=[str(role) for role in Role])

    def run(self, **options: Any) -> dict[str, Any]:
        policy = role_policy(Role(options["role"]), settings.EDGE_BUCKET)
        self.say(json.dumps(policy, indent=2))
        return policy
