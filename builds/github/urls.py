"""The address that webhooks are sent to."""

from django.urls import path

from builds.github import views

app_name = "github"
urlpatterns = [path("api/builds/github/", views.receive_webhook, name="webhook")]
