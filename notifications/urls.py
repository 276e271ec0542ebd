"""URLs for services that send text messages."""

from django.urls import path

from notifications import views

app_name = "notifications"
urlpatterns = [path("api/sms/incoming/", views.receive_sms, name="incoming")]
