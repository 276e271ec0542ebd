"""The operators' pages: releases and deployments to read, environments to deploy to."""

from django.contrib import admin

from deployments.admin.environment import EnvironmentPages
from deployments.admin.history import DeploymentAdmin, ReadOnlyAdmin, ReleaseAdmin
from deployments.models import Deployment, Environment, Release


@admin.register(Environment)
class EnvironmentAdmin(EnvironmentPages, ReadOnlyAdmin):
    """Environments, each with its own page instead of a form."""


admin.site.register(Release, ReleaseAdmin)
admin.site.register(Deployment, DeploymentAdmin)
