"""The link of a crew's day in the office: made, shown, revoked and made again."""

from datetime import date, timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import TextChoices
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.html import format_html
from django.utils.safestring import SafeString

from crews.links import active_link, ends_of, ensure_link, link_address, replace_link, revoke_link
from dispatch.admin import CrewAdmin
from dispatch.models import Crew
from tracking.qr import qr_picture

admin.site.unregister(Crew)


class Do(TextChoices):
    """What to do with a link."""

    MAKE = "make"
    REPLACE = "replace"
    REVOKE = "revoke"


@admin.register(Crew)
class LinkedCrewAdmin(CrewAdmin):
    """A crew, with the link to its page of today."""

    readonly_fields = (*CrewAdmin.readonly_fields, "page_of_today")

    class Media:
        js = ["tracking/copy.js"]

    @admin.display(description="Page for the crew")
    def page_of_today(self, crew: Crew) -> SafeString:
        page = _page_of(crew, timezone.localdate())
        return format_html('<a class="text-primary-600" href="{}">Link for today…</a>', page)

    def get_fields(self, request: HttpRequest, obj: Crew | None = None) -> list[str]:
        """Leave out the link for those who may not see it, and before there is a crew."""
        fields: list[str] = super().get_fields(request, obj)
        if obj is None or not _may_see(request):
            fields = [name for name in fields if name != "page_of_today"]
        return fields

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.link_view)
        urls: list[URLPattern] = super().get_urls()
        return [path("<int:pk>/link/<str:day>/", view, name="crews_crew_link"), *urls]

    def link_view(self, request: HttpRequest, pk: int, day: str) -> HttpResponse:
        """Show the link of a crew's day; make, replace or revoke it on POST.

        Anyone who has the link changes jobs, so seeing it takes the permission to.
        """
        crew, on = get_object_or_404(Crew, pk=pk), _day(day)
        if not _may_see(request):
            raise PermissionDenied
        if request.method == "POST":
            messages.success(request, _carried_out(request, crew, on))
            return HttpResponseRedirect(request.path)
        link = active_link(crew, on)
        address = link_address(link) if link else ""
        context = {
            **self.admin_site.each_context(request),
            "title": f"Page for {crew}, {on:%A %b %-d}",
            "opts": Crew._meta,
            "media": self.media,
            "crew": crew,
            "day_before": _page_of(crew, on - timedelta(days=1)),
            "day_after": _page_of(crew, on + timedelta(days=1)),
            "link": link,
            "address": address,
            "qr": qr_picture(address) if link else "",
            "ends": ends_of(on),
            "is_over": ends_of(on) <= timezone.now(),
            "is_ahead": on > timezone.localdate(),
        }
        response = TemplateResponse(request, "crews/admin_link.html", context)
        response["Cache-Control"] = "private, no-store"
        return response


def _may_see(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("dispatch.change_job"))


def _page_of(crew: Crew, day: date) -> str:
    return reverse("admin:crews_crew_link", args=[crew.pk, day])


def _day(text: str) -> date:
    """Return the day of an address like 2026-11-23. Raises Http404."""
    try:
        found = parse_date(text)
    except ValueError:
        found = None
    # At the calendar's ends there is no day after, or none before.
    if found is None or not date(2000, 1, 1) < found < date(9999, 1, 1):
        raise Http404("There is no such day.")
    return found


def _carried_out(request: HttpRequest, crew: Crew, day: date) -> str:
    """Do what the form asks for, and return what was done."""
    of_day: dict[str, Any] = {"crew": crew, "day": day, "actor": request.user.get_username()}
    do = request.POST.get("do")
    if do == Do.REVOKE:
        revoke_link(**of_day)
        return f"The link of {crew} no longer opens."
    if do == Do.REPLACE:
        replace_link(**of_day)
        return f"{crew} has a new link; the one before no longer opens. Send it to the crew."
    ensure_link(**of_day)
    return f"{crew} has a link. Send it to the crew."
