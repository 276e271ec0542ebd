"""Operators' pages: releases and deployments are read-only, environments can be deployed to."""

from django.contrib import admin

from deployments.admin.environment import EnvironmentAdmin
from deployments.admin.history import DeploymentAdmin, ReleaseAdmin
from deployments.models import Deployment, Environment, Release

admin.site.register(Environment, EnvironmentAdmin)
admin.site.register(Release, ReleaseAdmin)
admin.site.register(Deployment, DeploymentAdmin)
