"""The links of crews: made once, open on their day only, and alike when they are not open."""

from datetime import date, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from crews.admission import WRONG_PER_ADDRESS
from crews.links import ends_of, ensure_link, find_link, purge_links, replace_link, revoke_link
from crews.models import CrewLink
from crews.tasks import purge
from dispatch.models import RecentAttempt
from tests.builders import make_crew
from tests.crews.builders import make_link, make_stop

pytestmark = pytest.mark.django_db
NOON = datetime.fromisoformat("2026-11-23T12:00:00-07:00")
DAY = date(2026, 11, 23)


@pytest.fixture
def at_noon():
    with time_machine.travel(NOON, tick=False):
        yield


def test_link_opens_on_its_day_until_4_the_next_morning(at_noon):
    token = make_link(day=DAY).token
    opened = [
        (hours, find_link(token, NOON + timedelta(hours=hours)) is not None)
        for hours in (-12.1, -12, 0, 15.9, 16)
    ]
    assert opened == [(-12.1, False), (-12, True), (0, True), (15.9, True), (16, False)]


def test_night_of_a_clock_change_ends_at_4_too():
    assert timezone.localtime(ends_of(date(2026, 10, 31))).hour == 4
    assert timezone.localtime(ends_of(date(2026, 3, 7))).hour == 4


def test_token_has_128_bits_and_there_is_one_per_crew_and_day(at_noon):
    crew = make_crew()
    first = ensure_link(crew=crew, day=DAY, actor="dana")
    assert len(first.token) == 22
    assert ensure_link(crew=crew, day=DAY, actor="olga") == first
    assert ensure_link(crew=crew, day=DAY + timedelta(days=1), actor="olga") != first
    assert ensure_link(crew=make_crew(), day=DAY, actor="olga") != first


def test_new_link_ends_the_one_before(at_noon):
    link = make_link(day=DAY)
    new = replace_link(crew=link.crew, day=DAY, actor="olga")
    assert find_link(link.token, NOON) is None
    assert find_link(new.token, NOON) == new
    link.refresh_from_db()
    assert (link.revoked_by, link.revoked_at) == ("olga", NOON)
    assert revoke_link(crew=link.crew, day=DAY, actor="olga")
    assert not revoke_link(crew=link.crew, day=DAY, actor="olga")


def test_links_made_at_once_are_one(together):
    crew = make_crew()
    found = together(lambda: ensure_link(crew=crew, day=DAY, actor="dana").token, 6)
    assert len(set(found)) == 1, found


def test_old_links_are_deleted(at_noon):
    kept = make_link(day=DAY)
    make_link(day=DAY - timedelta(days=9))
    assert purge() == 1
    assert purge_links(NOON) == 0
    assert CrewLink.objects.get() == kept


def test_names_of_a_link_have_no_token(at_noon):
    link = make_link(day=DAY)
    assert link.token not in f"{link} {link!r}"


# Links that are not open

PATHS = ["", "taps", "photos/", "photo/x.jpg"]


def closed_links():
    """Return tokens that open nothing: unknown, revoked, yesterday's, tomorrow's, and odd ones."""
    revoked = make_link(day=DAY)
    revoke_link(crew=revoked.crew, day=DAY, actor="dana")
    yesterday, tomorrow = (make_link(day=DAY + timedelta(days=one)) for one in (-1, 1))
    for link in (revoked, yesterday, tomorrow):
        make_stop(link)
    known = [link.token for link in (revoked, yesterday, tomorrow)]
    return ["A" * 22, *known, "x", "é", "a" * 900, "%00", revoked.token_sha256]


def shown(answer):
    return answer.status_code, answer.content, dict(answer.headers)


@pytest.mark.parametrize("path", PATHS)
def test_links_that_are_not_open_are_alike(at_noon, path):
    method = "post" if path in {"taps", "photos/"} else "get"
    answers = [
        shown(getattr(Client(), method)(f"/crew/{token}/{path}")) for token in closed_links()
    ]
    status, body, headers = answers[0]
    assert status == 404
    assert "Ask the office for today" in body.decode()
    assert headers["X-Robots-Tag"] == "noindex"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "private, no-store"
    assert all(answer == answers[0] for answer in answers)


def test_links_that_are_not_open_take_the_same_queries(at_noon, django_assert_num_queries):
    for token in closed_links()[:4]:
        with django_assert_num_queries(3):  # the link, the limit, the count
            Client().get(f"/crew/{token}/")


def test_open_page_is_private_too(at_noon):
    answer = Client().get(f"/crew/{make_link(day=DAY).token}/")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["X-Robots-Tag"] == "noindex"
    assert answer["Referrer-Policy"] == "same-origin"


def test_slash_makes_no_difference(at_noon):
    token = make_link(day=DAY).token
    answers = [Client().get(f"/crew/{token}{end}") for end in ("", "/")]
    assert [answer.status_code for answer in answers] == [200, 200]


def test_wrong_links_have_a_limit_and_a_right_one_opens_even_then(at_noon):
    token = make_link(day=DAY).token
    statuses = [Client().get(f"/crew/{n}/").status_code for n in range(WRONG_PER_ADDRESS + 1)]
    assert statuses == [404] * WRONG_PER_ADDRESS + [429]
    refused = Client().get("/crew/x/")
    assert refused["Retry-After"] == "3600"
    assert "Ask the office for today" in refused.content.decode()
    assert RecentAttempt.objects.count() == WRONG_PER_ADDRESS  # nothing more is written
    assert Client().get(f"/crew/{token}/").status_code == 200
    assert Client().get("/crew/x/", REMOTE_ADDR="192.0.2.9").status_code == 404
