from django.apps import AppConfig


class CrewsConfig(AppConfig):
    """A crew's page of one day, behind a link."""

    name = "crews"
