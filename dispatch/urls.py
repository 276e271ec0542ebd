"""Endpoints for the dispatchers' pages."""

from django.urls import path

from dispatch import views

app_name = "dispatch"
urlpatterns = [path("api/board", views.board, name="board")]
