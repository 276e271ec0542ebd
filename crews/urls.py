"""URLs of the crews' pages."""

from django.urls import path

from crews import views

app_name = "crews"
urlpatterns = [
    path("crew/sw.js", views.worker, name="worker"),
    path("crew/<str:token>/taps", views.taps, name="taps"),
    path("crew/<str:token>/photos/", views.photos, name="photos"),
    path("crew/<str:token>/photo/<str:name>", views.photo, name="photo"),
    path("crew/<str:token>/", views.run, name="run"),
    # No redirect to the slash: the redirect would lack the headers of a private page.
    path("crew/<str:token>", views.run),
]
