from django.apps import AppConfig
from django.core.checks import register

from dispatch.signals import job_changed


class NotificationsConfig(AppConfig):
    name = "notifications"
    verbose_name = "Messages"

    def ready(self) -> None:
        """Write messages when a job changes, or its link is replaced or wanted again."""
        from notifications import checks, recording  # noqa: PLC0415 (models load after configs)
        from tracking import signals  # noqa: PLC0415

        register(checks.check_messages)
        register(checks.check_email, deploy=True)
        job_changed.connect(recording.on_job_changed, dispatch_uid="notifications.jobs")
        signals.link_replaced.connect(
            recording.on_link_replaced, dispatch_uid="notifications.links"
        )
        signals.link_resent.connect(recording.on_link_resent, dispatch_uid="notifications.resent")
        signals.links_wanted.connect(recording.on_links_wanted, dispatch_uid="notifications.wanted")
