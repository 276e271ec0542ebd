from django.apps import AppConfig
from django.db.models.signals import post_migrate


class DispatchConfig(AppConfig):
    name = "dispatch"

    def ready(self) -> None:
        """Keep the indexes of the search, and seed a fresh database, whenever its tables exist."""
        from dispatch.search.index import keep_indexes  # noqa: PLC0415
        from dispatch.seeding import seed  # noqa: PLC0415 (models load after app configs)

        post_migrate.connect(keep_indexes, sender=self, dispatch_uid="dispatch.search.index")
        post_migrate.connect(seed, sender=self, dispatch_uid="dispatch.seeding")
