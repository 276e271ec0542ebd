from django.apps import AppConfig


class QdnConfig(AppConfig):
    name = "qdn"
    verbose_name = "QuickDumpNow"
