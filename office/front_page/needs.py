"""What needs the office, as the front page groups it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from dispatch.models import Job, Snooze
from dispatch.needs.reading import Found, read_needs
from dispatch.needs.rules import JobRule, Need
from dispatch.needs.snoozing import HOURS, hiding
from dispatch.needs.table import rules

# How many needs of a rule are shown. A rule takes a line, and each of its needs two once the rule
# is unfolded.
MOST, LINES_OF_NEED = 3, 2


@dataclass(frozen=True, slots=True)
class Shown:
    """A need with the path of its action's page, which leads back here."""

    need: Need
    url: str


@dataclass(frozen=True, slots=True)
class Group:
    """A rule and the needs shown of it. `more`: the path of the list of all, if there are more."""

    code: str
    name: str
    count: int
    needs: Sequence[Shown]
    more: str
    unfolded: bool


@dataclass(frozen=True, slots=True)
class Snoozed:
    """A need that is hidden, with the name of its rule."""

    name: str
    row: Snooze


@dataclass(frozen=True, slots=True)
class Needs:
    """The part of the front page; `hours` are the choices for snoozing."""

    count: int
    groups: Sequence[Group]
    snoozed: Sequence[Snoozed]
    may_snooze: bool
    hours: Sequence[int] = HOURS


def needs_of(user: Any, now: datetime, *, lines: int) -> Needs:
    """Return what needs the office, by the rules that the user may see.

    lines: how many the page has room for.
    """
    waiting = read_needs(now, user.has_perm, most=MOST)
    jobs = Job.objects.with_placed_at().select_related("service").in_bulk(waiting.jobs)
    found = waiting.by_rule(jobs, now)
    return Needs(
        count=sum(one.count for one in found),
        groups=_groups(found, lines),
        snoozed=_snoozed(user, now),
        may_snooze=user.has_perm("dispatch.change_job"),
    )


def _groups(found: Sequence[Found], lines: int) -> list[Group]:
    """Return the groups, unfolded from the top as far as they fit."""
    groups: list[Group] = []
    room = lines - len(found)
    for one in found:
        shown = [Shown(need, _and_back(need.action.url)) for need in one.needs]
        taken = LINES_OF_NEED * len(shown)
        unfolded = not groups or taken <= room
        room -= taken if unfolded else room
        rule = one.rule
        more = _list_of(rule.code) if one.count > len(shown) and isinstance(rule, JobRule) else ""
        groups.append(Group(rule.code, rule.name, one.count, shown, more, unfolded))
    return groups


def _and_back(url: str) -> str:
    """Return the path of a page with the front page as the one to return to."""
    page, hash_sign, part = url.partition("#")
    joint = "&" if "?" in page else "?"
    return f"{page}{joint}{urlencode({'next': reverse('admin:index')})}{hash_sign}{part}"


def _snoozed(user: Any, now: datetime) -> list[Snoozed]:
    names = {rule.code: rule.name for rule in rules() if user.has_perm(rule.permission)}
    rows = hiding(now).select_related("job").order_by("until")[:MOST]
    return [Snoozed(names[row.rule], row) for row in rows if row.rule in names]


def _list_of(rule: str) -> str:
    return f"{reverse('admin:dispatch_job_changelist')}?needs={rule}"
