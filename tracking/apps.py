from django.apps import AppConfig
from django.db.models.signals import post_migrate

from dispatch.signals import job_changed


class TrackingConfig(AppConfig):
    name = "tracking"

    def ready(self) -> None:
        """Publish when a job changes, and schedule the safety net."""
        from tracking import queue  # noqa: PLC0415 (models load after app configs)

        job_changed.connect(queue.on_job_changed, dispatch_uid="tracking.publish")
        post_migrate.connect(queue.ensure_schedule, sender=self, dispatch_uid="tracking.schedule")
