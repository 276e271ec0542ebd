"""The project's URLs, and one whose view does nothing but insert a row."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from dispatch.models import RecentAttempt


@csrf_exempt
def insert(request: HttpRequest) -> HttpResponse:
    """Insert a row of a small table."""
    RecentAttempt.objects.create(source="bench", at=timezone.now())
    return HttpResponse(status=204)


urlpatterns = [path("book/request/bare", insert), path("", include("qdn.urls"))]
