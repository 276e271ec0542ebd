"""The Django app of the edge."""

from django.apps import AppConfig
from django.core.checks import register

from edge.checks import check_settings


class EdgeConfig(AppConfig):
    """Registers the system checks."""

    name = "edge"

    def ready(self) -> None:
        register(check_settings)
