"""The page of the office where a crew's link is made, shown, revoked and replaced."""

from datetime import datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from crews.links import active_link
from crews.models import CrewLink
from tests.builders import make_crew
from tests.crews.builders import make_link

pytestmark = pytest.mark.django_db


@pytest.fixture
def crew():
    return make_crew(name="North crew")


def path(crew, day=None):
    return f"/admin/dispatch/crew/{crew.pk}/link/{day or timezone.localdate()}/"


def test_link_is_made_on_demand(desk, crew):
    page = desk.get(path(crew)).content.decode()
    assert "has no link for this day" in page
    assert not CrewLink.objects.exists()
    assert desk.post(path(crew), {"do": "make"}).status_code == 302
    link = active_link(crew, timezone.localdate())
    assert link.created_by == "dana"
    page = desk.get(path(crew)).content.decode()
    assert f"/crew/{link.token}/" in page
    assert "<svg" in page
    assert "data-copy=" in page
    assert "tracking/copy" in page


def test_link_is_replaced_and_revoked(desk, crew):
    first = make_link(crew)
    desk.post(path(crew), {"do": "replace"})
    second = active_link(crew, timezone.localdate())
    assert second != first
    desk.post(path(crew), {"do": "revoke"})
    assert active_link(crew, timezone.localdate()) is None
    assert desk.post(path(crew), {"do": "revoke"}).status_code == 302


def test_link_of_tomorrow_can_be_made_and_yesterday_s_cannot(desk, crew):
    today = timezone.localdate()
    assert "It opens when the day begins" not in desk.get(path(crew)).content.decode()
    tomorrow = today + timedelta(days=1)
    desk.post(path(crew, tomorrow), {"do": "make"})
    assert "It opens when the day begins" in desk.get(path(crew, tomorrow)).content.decode()
    with time_machine.travel(datetime(2026, 11, 23, 12, tzinfo=timezone.get_current_timezone())):
        page = desk.get(path(crew, "2026-11-21")).content.decode()
    assert "This day is over" in page
    assert 'value="make"' not in page


@pytest.mark.parametrize("day", ["x", "2026-13-01", "9999-12-31", "0001-01-01"])
def test_day_that_is_none_is_404(desk, crew, day):
    assert desk.get(path(crew, day)).status_code == 404


def test_link_is_for_those_who_may_change_jobs(client, crew):
    user = User.objects.create_user("vic", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(user)
    assert client.get(path(crew)).status_code == 403
    assert client.post(path(crew), {"do": "make"}).status_code == 403
    page = client.get(f"/admin/dispatch/crew/{crew.pk}/change/")
    assert page.status_code == 200
    assert path(crew) not in page.content.decode()


def test_page_of_a_crew_leads_to_the_link(desk, crew):
    page = desk.get(f"/admin/dispatch/crew/{crew.pk}/change/").content.decode()
    assert path(crew) in page
    assert "/link/" not in desk.get("/admin/dispatch/crew/add/").content.decode()


def test_pages_that_list_show_no_token(desk, crew):
    link = make_link(crew)
    for page in ("/admin/dispatch/crew/", f"/admin/dispatch/crew/{crew.pk}/change/"):
        assert link.token not in desk.get(page).content.decode()


@pytest.mark.parametrize("among", ["crew", "job"])
def test_no_filter_looks_into_tokens(desk, crew, among):
    link = make_link(crew)
    field = "links__token__startswith" if among == "crew" else "crew__links__token__startswith"
    answers = [
        desk.get(f"/admin/dispatch/{among}/", {field: start}, follow=True).content.decode()
        for start in (link.token[:3], "-no-")
    ]
    assert [crew.name in answer for answer in answers] in ([False, False], [True, True])
