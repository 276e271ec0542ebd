"""Operators' pages: releases and deployments are read-only, environments can be deployed to."""

from django.contrib import admin

from deployments.admin.environment import EnvironmentAdmin
from deployments.admin.history import DeploymentAdmin, ReleaseAdmin
from deployments.admin.hooks import HookAdmin
from deployments.admin.previews import BranchPreviewAdmin
from deployments.models import BranchPreview, Deployment, Environment, Hook, Release

admin.site.register(Environment, EnvironmentAdmin)
admin.site.register(Release, ReleaseAdmin)
admin.site.register(Deployment, DeploymentAdmin)
admin.site.register(BranchPreview, BranchPreviewAdmin)
admin.site.register(Hook, HookAdmin)
