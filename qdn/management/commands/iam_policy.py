import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from deployments.errors import Refused
from deployments.stacks.parts import places_of
from edge.provisioning.iam import Role, write_policy
from qdn.console import OperatorCommand


class Command(OperatorCommand):
    help = "Print the least-privilege IAM policy of a role, as JSON."
    changes_something = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--role", required=True, choices=[str(role) for role in Role])

    def run(self, **options: Any) -> dict[str, Any]:
        role = Role(options["role"])
        places = places_of(settings.EDGE_BUCKET)
        if not places.bucket and role is not Role.PROVISION:
            raise Refused(
                "bucket-unknown",
                "No bucket is named, so the policy would hold for none.",
                "Set EDGE_BUCKET, or provision an environment first.",
            )
        policy = write_policy(role, places)
        self.say(json.dumps(policy, indent=2))
        return policy
