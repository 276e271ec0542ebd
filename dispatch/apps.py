from django.apps import AppConfig
from django.db.models.signals import post_migrate


class DispatchConfig(AppConfig):
    name = "dispatch"

    def ready(self) -> None:
        """Seed a fresh database once its tables and permissions exist."""
        from dispatch.seeding import seed  # noqa: PLC0415 (models load after app configs)

        post_migrate.connect(seed, sender=self, dispatch_uid="dispatch.seeding")
