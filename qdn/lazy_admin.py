"""The admin, imported together with its URLs.

No command uses it, and importing it at the start of each takes 0.3 s of 0.9 s (bench/start.py).
"""

from typing import Any

from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks


class AdminConfig(SimpleAdminConfig):
    """The admin app without autodiscovery at start; qdn/urls.py and the checks discover."""

    default_site = "unfold.sites.UnfoldAdminSite"

    def ready(self) -> None:
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(_check_discovered, checks.Tags.admin)


def _check_discovered(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    from django.contrib import admin  # noqa: PLC0415 - needs models, which are loaded by now

    admin.autodiscover()
    return check_admin_app(app_configs, **kwargs)
