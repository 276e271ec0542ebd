"""The Content-Security-Policy of the admin, which its theme needs to be wider than the others'."""

from typing import Any

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

ADMIN = "/admin/"


class ContentPolicyMiddleware(CSPMiddleware):
    """Adds settings.ADMIN_POLICY to the policy below /admin/."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if request.path_info.startswith(ADMIN):
            directives: dict[str, Any] = {**settings.ADMIN_POLICY, **(parts.replace or {})}
            parts.replace = directives
        return parts
