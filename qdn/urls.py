"""URLs that the application answers; the edge answers all others (see edge/behaviours.py).

/healthz and /readyz are answered before these (qdn/health.py).
"""

from django.contrib import admin
from django.urls import include, path

admin.autodiscover()
handler500 = "qdn.failures.server_error"

urlpatterns = [
    path("", include("office.urls")),  # has pages below admin/, which answers all others there
    path("admin/", admin.site.urls),
    path("", include("deployments.api.urls")),
    path("", include("deployments.timings.urls")),
    path("", include("builds.github.urls")),
    path("", include("dispatch.urls")),
    path("", include("tracking.urls")),
    path("", include("notifications.urls")),
    path("", include("crews.urls")),
]
