"""Operators' pages: releases and deployments are read-only, environments can be deployed to."""

from django.contrib import admin

from deployments.admin.environment import EnvironmentPages
from deployments.admin.history import DeploymentAdmin, ReadOnlyAdmin, ReleaseAdmin
from deployments.models import Deployment, Environment, Release


@admin.register(Environment)
class EnvironmentAdmin(EnvironmentPages, ReadOnlyAdmin):
    """Environments, each with a page instead of a change form."""


admin.site.register(Release, ReleaseAdmin)
admin.site.register(Deployment, DeploymentAdmin)
