from django.apps import AppConfig
from django.db.models.signals import post_migrate


class DeploymentsConfig(AppConfig):
    name = "deployments"

    def ready(self) -> None:
        from deployments.seeding import (  # noqa: PLC0415 - needs the models
            create_environments,
            create_operators,
            ensure_schedule,
        )

        post_migrate.connect(create_environments, sender=self)
        post_migrate.connect(create_operators, sender=self)
        post_migrate.connect(ensure_schedule, sender=self, dispatch_uid="deployments.schedule")
