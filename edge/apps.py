"""The edge as a Django app."""

from django.apps import AppConfig
from django.core.checks import register

from edge.checks import check_settings


class EdgeConfig(AppConfig):
    """Registers the checks."""

    name = "edge"

    def ready(self) -> None:
        register(check_settings)
