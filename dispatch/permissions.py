"""Who sees which link in the admin's sidebar. Settings name these functions by their path."""

from django.http import HttpRequest


def may_view_job(request: HttpRequest) -> bool:
    return request.user.has_perm("dispatch.view_job")


def may_view_customer(request: HttpRequest) -> bool:
    return request.user.has_perm("dispatch.view_customer")


def may_view_crew(request: HttpRequest) -> bool:
    return request.user.has_perm("dispatch.view_crew")


def may_view_servicetype(request: HttpRequest) -> bool:
    return request.user.has_perm("dispatch.view_servicetype")
