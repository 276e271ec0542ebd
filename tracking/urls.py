"""URLs for customers."""

from django.urls import path

from tracking import access_views, action_views, booking_views, offers, views, wanted_views

app_name = "tracking"
urlpatterns = [
    path("book/request/", booking_views.book_request, name="book"),
    path("book/request/area/", booking_views.area_request, name="area"),
    path("api/v1/windows", offers.windows, name="windows"),
    path("t/", views.find_page, name="find"),
    path("t/offline.js", views.offline_worker, name="offline"),
    path("t/send/", wanted_views.send_links, name="send"),
    path("t/<str:token>/calendar.ics", views.calendar_file, name="calendar"),
    path("t/<str:token>/unlock/", access_views.unlock_page, name="unlock"),
    path("t/<str:token>/lock/", access_views.lock_again, name="lock"),
    path("t/<str:token>/move/", action_views.move, name="move"),
    path("t/<str:token>/cancel/", action_views.cancel, name="cancel"),
    path("t/<str:token>/pickup/", action_views.pickup, name="pickup"),
    path("t/<str:token>/price/", action_views.price, name="price"),
    path("t/<str:token>/photos/", action_views.photos, name="photos"),
    path("t/<str:token>/gate/", action_views.gate, name="gate"),
    path("t/<str:token>/", views.job_page, name="job"),
    # No redirect to the slash: the redirect would lack the headers of a private page.
    path("t/<str:token>", views.job_page),
]
