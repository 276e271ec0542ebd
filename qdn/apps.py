from django.apps import AppConfig
from django.core.checks import register


class QdnConfig(AppConfig):
    name = "qdn"
    verbose_name = "QuickDumpNow"

    def ready(self) -> None:
        from qdn.checks import check_settings  # noqa: PLC0415 - apps are loaded by now

        register(check_settings)
