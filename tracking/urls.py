"""URLs for customers."""

from django.urls import path

from tracking import views

app_name = "tracking"
urlpatterns = [
    path("book/request/", views.book_request, name="book"),
    path("t/", views.find_page, name="find"),
    path("t/<str:token>/", views.job_page, name="job"),
    # No redirect to the slash: the redirect would lack the headers of a private page.
    path("t/<str:token>", views.job_page),
]
