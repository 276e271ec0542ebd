"""The admin, whose modules are imported with its URLs.

They take a third of the start of every command, and no command needs them.
"""

from typing import Any

from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks


class AdminConfig(SimpleAdminConfig):
    """Leaves discovery to qdn/urls.py, and to the checks; the site is made when asked for."""

    default_site = "unfold.sites.UnfoldAdminSite"

    def ready(self) -> None:
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(_check_discovered, checks.Tags.admin)


def _check_discovered(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    from django.contrib import admin  # noqa: PLC0415 - it asks for models, which are loaded by now

    admin.autodiscover()
    return check_admin_app(app_configs, **kwargs)
