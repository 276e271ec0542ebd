"""URLs of the staff's pages, but for the admin's own."""

from django.contrib import admin
from django.urls import path

from office.board import views
from office.board.run_sheet import run_sheet
from office.exports.views import export
from office.front_page.views import snooze_need
from office.reports.views import reports

app_name = "office"
urlpatterns = [
    path("api/board", views.board, name="board"),
    path("api/board/acts", views.acts, name="board-acts"),
    path("api/board/search", views.search, name="board-search"),
    path("api/board/jobs/<int:pk>", views.job, name="board-job"),
    path("admin/reports/", admin.site.admin_view(reports), name="reports"),
    path(
        "admin/export/<str:app_label>/<str:model_name>/",
        admin.site.admin_view(export),
        name="export",
    ),
    path(
        "admin/run-sheet/<int:crew>/<str:day>/",
        admin.site.admin_view(run_sheet),
        name="run-sheet",
    ),
    path("admin/needs/snooze/", admin.site.admin_view(snooze_need), name="snooze"),
]
