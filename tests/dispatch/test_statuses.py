"""The status table, and that no page has a copy of it."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from dispatch.errors import StatusUnknown
from dispatch.statuses import FLOW, OPEN, ServiceKind, Status, flow_for, next_statuses, parse_status

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    path
    for folder in ("dispatch", "tracking", "deployments", "edge", "templates", "qdn")
    for ending in ("*.html", "*.js")
    for path in (ROOT / folder).rglob(ending)
]


def test_flow_of_a_haul_has_no_dumpster_step():
    assert flow_for(ServiceKind.HAUL) == [
        Status.REQUESTED,
        Status.SCHEDULED,
        Status.READY_FOR_PICKUP,
        Status.EN_ROUTE,
        Status.IN_PROGRESS,
        Status.COMPLETED,
    ]
    assert Status.ON_SITE in flow_for(ServiceKind.DUMPSTER)


@pytest.mark.parametrize("kind", ServiceKind)
def test_every_step_of_a_flow_leads_to_the_next(kind):
    steps = flow_for(kind)
    for here, there in pairwise(steps):
        assert there in next_statuses(here, kind)


def test_every_status_has_a_row():
    assert set(FLOW) == set(Status)


def test_started_work_cannot_be_cancelled():
    assert {status for status in Status if Status.CANCELLED not in FLOW[status].to} == {
        Status.IN_PROGRESS,
        Status.COMPLETED,
        Status.CANCELLED,
    }


def test_open_means_there_is_a_next_step():
    assert set(Status) - set(OPEN) == {Status.COMPLETED, Status.CANCELLED}


def test_tracking_pages_poll_open_jobs_only():
    assert {status for status in Status if FLOW[status].poll_seconds} == set(OPEN)


def test_unknown_status_lists_the_known_ones():
    with pytest.raises(StatusUnknown) as refusal:
        parse_status("lost")
    assert refusal.value.code == "status-unknown"
    for status in Status:
        assert status.value in refusal.value.hint


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_page_has_a_list_of_the_statuses(path):
    """A page may name one or two statuses, for a colour or a button; three would be a copy."""
    words = set(re.findall(r"[\"'](\w+)[\"']", path.read_text()))
    known = words & set(Status.values)
    assert len(known) < 3, f"{path.name} knows {sorted(known)}: take them from the document"
