"""Gives the environments distributions in the stand-in, as `provision` would in AWS.

python -m tests.aws.places
"""

import os

import django

from tests.aws.plain import PlainBoto


def create_distributions():
    """Make one for each environment that has none."""
    from deployments.models import Environment  # noqa: PLC0415 - needs the app registry

    plain = PlainBoto()
    for environment in Environment.objects.filter(distributions=None):
        environment.distributions.create(remote_id=plain.create_distribution(environment.name))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qdn.settings")
    django.setup()
    create_distributions()
