from django.apps import AppConfig, apps
from django.core.checks import register
from django.db.models.signals import post_migrate


class QdnConfig(AppConfig):
    name = "qdn"
    verbose_name = "QuickDumpNow"

    def ready(self) -> None:
        # Apps are loaded by now.
        from django_q.signals import post_execute  # noqa: PLC0415

        from deployments import metrics  # noqa: PLC0415
        from qdn import checks, roles  # noqa: PLC0415
        from qdn.tasks import heartbeat, schedules  # noqa: PLC0415
        from qdn.tracking_metrics import tracking_metrics  # noqa: PLC0415

        metrics.SOURCES.append(tracking_metrics)
        register(checks.check_settings)
        register(checks.check_deployment, deploy=True)
        post_migrate.connect(schedules.ensure_schedules, sender=self, dispatch_uid="qdn.schedules")
        for app in roles.APPS:
            post_migrate.connect(
                roles.grant, sender=apps.get_app_config(app), dispatch_uid=f"qdn.roles.{app}"
            )
        post_execute.connect(heartbeat.record, dispatch_uid="qdn.heartbeat")
