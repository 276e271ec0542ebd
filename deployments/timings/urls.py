"""The address of the beacon's reports."""

from django.urls import path

from deployments.timings.views import receive

app_name = "timings"
urlpatterns = [path("api/v1/timings/", receive, name="receive")]
