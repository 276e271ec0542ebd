from django.apps import AppConfig

from dispatch.signals import job_changed, names_changed


class TrackingConfig(AppConfig):
    name = "tracking"

    def ready(self) -> None:
        """Publish when a job changes, or a name that its document shows."""
        from tracking import receivers  # noqa: PLC0415 (models load after app configs)

        job_changed.connect(receivers.on_job_changed, dispatch_uid="tracking.publish")
        names_changed.connect(receivers.on_names_changed, dispatch_uid="tracking.names")
