"""URLs that the application answers; the edge answers all others (see edge/behaviours.py)."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def healthz(request: HttpRequest) -> HttpResponse:
    """Answer a load balancer's health check."""
    return HttpResponse("ok\n", content_type="text/plain")


admin.autodiscover()

urlpatterns = [
    path("admin/", admin.site.urls),
    path("healthz", healthz),
    path("", include("dispatch.urls")),
    path("", include("tracking.urls")),
]
