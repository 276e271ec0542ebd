"""Photos of jobs."""

from django.urls import path

from dispatch.photos.serving import photo

app_name = "dispatch"
urlpatterns = [
    path("media/photos/<str:name>", photo, name="photo"),
]
