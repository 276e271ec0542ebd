"""The address that exports a list of the admin, and the record of who did."""

from typing import Any

from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ALL_VAR, ERROR_FLAG, PAGE_VAR, ChangeList
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.http import require_POST

from office.exports.columns import Table
from office.exports.files import MOST_ROWS, csv_lines, xlsx_file

PERMISSION = "dispatch.export"
CSV, XLSX = "csv", "xlsx"
CONTENT_TYPES = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@require_POST
def export(request: HttpRequest, app_label: str, model_name: str) -> HttpResponseBase:
    """Answer with the rows of a list as a file. The address has the list's filters.

    POST, because every export is recorded. `format` is csv or xlsx. For users who may see the list
    and may export; a list that cannot be filtered so is shown instead.
    """
    model_admin = _model_admin(app_label, model_name)
    if not (model_admin.has_view_permission(request) and request.user.has_perm(PERMISSION)):
        raise PermissionDenied
    kind = request.POST.get("format", CSV)
    if kind not in CONTENT_TYPES:
        raise Http404(f"Expected the format {CSV} or {XLSX}, found '{kind}'.")
    page = reverse(f"admin:{app_label}_{model_name}_changelist")
    try:
        change_list = _change_list(model_admin, request)
    except IncorrectLookupParameters:
        return HttpResponseRedirect(f"{page}?{ERROR_FLAG}=1")
    # The list itself counts no further than it shows.
    count = change_list.queryset.count()
    if kind == XLSX and count > MOST_ROWS:
        messages.warning(request, f"A sheet takes {MOST_ROWS:,} rows. Filter the list, or use CSV.")
        return HttpResponseRedirect(f"{page}?{request.GET.urlencode()}")
    _record(request, change_list, kind, count)
    return _file(Table(change_list), kind)


def _model_admin(app_label: str, model_name: str) -> Any:
    try:
        return admin.site._registry[apps.get_model(app_label, model_name)]
    except (LookupError, ValueError):
        raise Http404(f"There is no list of '{app_label}.{model_name}'.") from None


def _change_list(model_admin: Any, request: HttpRequest) -> ChangeList:
    """Return the list with the filters of the address, all pages of it."""
    filters = request.GET.copy()
    for name in (PAGE_VAR, ALL_VAR, ERROR_FLAG):
        filters.pop(name, None)
    request.GET = filters  # type: ignore[assignment]  # the list reads its filters there
    return model_admin.get_changelist_instance(request)  # type: ignore[no-any-return]


def _record(request: HttpRequest, change_list: ChangeList, kind: str, count: int) -> None:
    """Keep who exported how many rows of what, before the first row leaves."""
    filters = request.GET.urlencode() or "none"
    rows = "1 row" if count == 1 else f"{count} rows"
    LogEntry.objects.create(
        user=request.user,  # type: ignore[misc]  # admin_view lets no anonymous user in
        content_type=ContentType.objects.get_for_model(change_list.model),
        object_repr=f"Export as {kind.upper()}",
        action_flag=CHANGE,
        change_message=f"Exported {rows} as {kind.upper()}. Filters: {filters}",
    )


def _file(table: Table, kind: str) -> HttpResponseBase:
    day = timezone.localdate().isoformat()
    name = f"{slugify(str(table.change_list.model._meta.verbose_name_plural))}-{day}.{kind}"
    headers = {"Cache-Control": "no-store"}
    if kind == XLSX:
        file = xlsx_file(table.headings, table.rows())
        return FileResponse(
            file,
            as_attachment=True,
            filename=name,
            content_type=CONTENT_TYPES[XLSX],
            headers=headers,
        )
    headers["Content-Disposition"] = f'attachment; filename="{name}"'
    lines = csv_lines(table.headings, table.rows())
    return StreamingHttpResponse(lines, content_type=CONTENT_TYPES[CSV], headers=headers)
