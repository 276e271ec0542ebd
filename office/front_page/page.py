"""The parts of the front page, and who sees which."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from dispatch.models import Job
from office.front_page.bookings import new_bookings
from office.front_page.crews import loads
from office.front_page.needs import Needs, needs_of
from office.front_page.releases import live_releases
from office.front_page.today import jobs_of_today, today
from office.reports.summary import summary

REPORTS = "dispatch.view_reports"
# Of a screen of 900 px, below today; a line is 38 px.
LINES, LINES_OF_WEEK = 13, 4


class Look:
    """Who looks at the page, and when; today's jobs are read once."""

    def __init__(self, user: Any, now: datetime) -> None:
        self.user = user
        self.now = now

    @property
    def lines(self) -> int:
        """How many lines of what needs the office leave the page on one screen."""
        return LINES - (LINES_OF_WEEK if self.user.has_perm(REPORTS) else 0)

    @cached_property
    def jobs(self) -> list[Job]:
        return jobs_of_today(self.now)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the page, for users with the permission.

    name: of its template in templates/admin/front_page/, too.
    place: `top`, the full width of the page; `main`, its wide column; `side`, the narrow one.
    build: returns what the template shows, as `data`.
    """

    name: str
    place: str
    permission: str
    build: Callable[[Look], object]

    @property
    def template(self) -> str:
        return f"admin/front_page/{self.name}.html"


def _needs(look: Look) -> Needs:
    return needs_of(look.user, look.now, lines=look.lines)


PARTS = (
    Part("today", "top", "dispatch.view_job", lambda look: today(look.jobs, look.now)),
    Part("needs", "main", "dispatch.view_job", _needs),
    Part("week", "main", REPORTS, lambda look: summary(look.now)),
    Part("crews", "side", "dispatch.view_job", lambda look: loads(look.jobs)),
    Part("bookings", "side", "dispatch.view_job", lambda look: new_bookings(look.now)),
    Part("releases", "side", "deployments.view_environment", lambda look: live_releases()),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A part as the template shows it."""

    template: str
    data: object


def front_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the parts that the user may see, by place: the theme's DASHBOARD_CALLBACK.

    A user who may see none gets the theme's list of applications.
    """
    look = Look(request.user, timezone.now())
    parts: dict[str, list[Shown]] = {}
    for part in PARTS:
        if request.user.has_perm(part.permission):
            parts.setdefault(part.place, []).append(Shown(part.template, part.build(look)))
    title = "Today" if "top" in parts else context["title"]
    return context | {"parts": parts, "title": title}
