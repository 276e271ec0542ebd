from django.apps import AppConfig
from django.db.models.signals import post_migrate


class DeploymentsConfig(AppConfig):
    name = "deployments"

    def ready(self) -> None:
        from deployments.seeding import create_environments  # noqa: PLC0415 - needs the models

        post_migrate.connect(create_environments, sender=self)
