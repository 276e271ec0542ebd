"""The addresses of the deployment API."""

from django.urls import path

from deployments.api import views

app_name = "api"
urlpatterns = [
    path("api/deployments/", views.request_deployment, name="deployments"),
    path("api/deployments/<int:number>/", views.show_operation, name="operation"),
]
