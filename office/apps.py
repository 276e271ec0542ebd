from django.apps import AppConfig
from django.db.models.signals import post_delete, post_save


class OfficeConfig(AppConfig):
    """Pages of the staff that look at more than jobs: the board, the front page, reports."""

    name = "office"

    def ready(self) -> None:
        # Both need the app registry.
        from dispatch.models import Crew, Customer, ServiceType  # noqa: PLC0415
        from office.board.stamp import raise_names  # noqa: PLC0415

        for model in (Crew, Customer, ServiceType):
            for signal in (post_save, post_delete):
                signal.connect(raise_names, sender=model, dispatch_uid="office.board-names")
