"""Saved views of the job list: the built-in ones, each user's own, and those of all."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from django.contrib.auth.models import Permission, User

from dispatch.errors import ValueRefused
from dispatch.models import SavedView
from dispatch.saved_views import BUILT_IN, MOST, clean_query, save_view
from dispatch.statuses import Status
from tests.builders import make_job
from tests.dispatch.job_page import LIST, texts

pytestmark = pytest.mark.django_db
VIEWS = f"{LIST}views/"
QUERY = "status__exact=scheduled&on_hold__exact=1"
NOW = datetime(2026, 11, 20, 20, tzinfo=UTC)  # a Friday, 1 p.m. in Denver
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def post(client, **values):
    return client.post(VIEWS, {"do": "save", "name": "Held", "query": QUERY, **values})


def tabs(client, query=""):
    page = client.get(f"{LIST}?{query}" if query else LIST)
    return [tab.name for tab in page.context["view_tabs"]]


@pytest.fixture
def owner(client):
    """A client logged in as a user who may save views for all."""
    user = User.objects.create_user("oona", is_staff=True)
    names = ["view_job", "change_savedview"]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(user)
    return client


# Built-in views


@pytest.mark.parametrize(("name", "query"), BUILT_IN)
def test_built_in_view_opens(desk, name, query):
    page = desk.get(f"{LIST}?{query}")
    assert page.status_code == 200
    assert [tab.name for tab in page.context["view_tabs"] if tab.is_current] == [name]
    assert "Save this view" not in page.content.decode()


@pytest.mark.parametrize(
    ("days", "is_found"), [(-5, False), (-4, True), (0, True), (2, True), (3, False)]
)
def test_this_week_is_from_monday_to_sunday(desk, days, is_found):
    start = NOW + days * DAY
    job = make_job(status=Status.SCHEDULED, window_start=start, window_end=start + HOUR)
    with time_machine.travel(NOW, tick=False):
        found = desk.get(LIST, {"window": "this-week"}).context["cl"].result_list
    assert list(found) == ([job] if is_found else [])


# Saving


def test_filters_can_be_saved(desk, dispatcher):
    assert "Save this view" in desk.get(f"{LIST}?{QUERY}").content.decode()
    answer = post(desk)
    assert answer["Location"] == f"{LIST}?{QUERY}"
    view = SavedView.objects.get()
    assert (view.name, view.query, view.owner) == ("Held", QUERY, dispatcher)
    page = desk.get(f"{LIST}?{QUERY}&p=1")
    assert page.context["current_view"] == view
    assert "Save this view" not in page.content.decode()


def test_search_and_order_are_part_of_a_view(desk):
    post(desk, query="q=chena&o=-6.1&p=2&e=1")
    assert SavedView.objects.get().query == "q=chena&o=-6.1"


def test_views_are_of_their_owner(desk, client):
    post(desk)
    assert "Held" in tabs(desk)
    client.force_login(User.objects.create_superuser("root"))
    assert "Held" not in tabs(client)


def test_owners_save_views_for_all(owner, dispatcher):
    assert "For all" in owner.get(f"{LIST}?{QUERY}").content.decode()
    post(owner, for_all="on")
    assert SavedView.objects.get().owner is None
    owner.force_login(dispatcher)
    assert "Held" in tabs(owner)
    assert owner.get(f"{LIST}?{QUERY}").context["current_view"] is None


def test_dispatchers_do_not(desk):
    assert "For all" not in desk.get(f"{LIST}?{QUERY}").content.decode()
    assert post(desk, for_all="on").status_code == 403
    assert not SavedView.objects.exists()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": " "}, "A view needs a name."),
        ({"name": "x" * 61}, "at most 60 characters, found 61"),
        ({"name": "a\x07b"}, "Expected a name"),
        ({"name": "needs  you"}, "built-in view"),
        ({"query": ""}, "Expected a filter, found none."),
        ({"query": "p=2"}, "Expected a filter, found none."),
        ({"query": "q=" + "x" * 500}, "at most 500 characters, found 502"),
        ({"query": "nonsense=1"}, "no such filter"),
        ({"query": "customer__phone__contains=907"}, "no such filter"),
        ({"query": "access_notes__startswith=1"}, "no such filter"),
        ({"query": "needs=nap"}, "no such filter"),
        ({"query": "crew__id__exact=x"}, "no such filter"),
        ({"query": "crew__id__exact=" + "9" * 40}, "no such filter"),
        ({"query": "&".join(f"q{n}=1" for n in range(40))}, "found something else"),
        ({"query": "q=%ff"}, "found something else"),
        ({"do": "steal"}, "This view does not exist."),
    ],
)
def test_refused_view(desk, values, message):
    answer = post(desk, **values)
    assert answer.status_code == 302
    assert message in " ".join(texts(answer))
    assert not SavedView.objects.exists()


def test_refusal_returns_to_the_filters(desk):
    answer = post(desk, name="")
    assert answer["Location"] == f"{LIST}?{QUERY}"


@pytest.mark.parametrize("query", ["x" * 600, "q=%0d%0aSet-Cookie:+a", "é=1"])
def test_refusal_never_leads_elsewhere(desk, query):
    location = post(desk, name="", query=query)["Location"]
    assert location.split("?")[0] == LIST
    assert location.isprintable()


def test_name_is_used_once(owner):
    post(owner, for_all="on")
    answer = post(owner, for_all="on", query="q=chena")
    assert "There is a view “Held” already." in texts(answer)[-1]
    post(owner)  # a view of the user's own may have the same name
    assert SavedView.objects.count() == 2


def test_number_of_views_is_limited(dispatcher):
    for number in range(MOST):
        save_view(name=f"View {number}", query="q=a", owner=dispatcher)
    with pytest.raises(ValueRefused, match="There are 20 saved views already"):
        save_view(name="Another", query="q=a", owner=dispatcher)
    save_view(name="Another", query="q=a", owner=None)


def test_query_keeps_what_it_says():
    assert clean_query("?q=a b&window=".lstrip("?")) == urlencode({"q": "a b", "window": ""})


# Renaming and deleting


def test_own_view_is_renamed(desk):
    post(desk)
    view = SavedView.objects.get()
    answer = desk.post(VIEWS, {"do": "rename", "view": view.pk, "name": "On hold", "query": QUERY})
    assert texts(answer)[-1] == "Renamed “Held” to “On hold”."
    assert tabs(desk)[-1] == "On hold"


def test_own_view_is_deleted(desk):
    post(desk)
    answer = desk.post(VIEWS, {"do": "delete", "view": SavedView.objects.get().pk, "query": QUERY})
    assert answer["Location"] == f"{LIST}?{QUERY}"
    assert not SavedView.objects.exists()


def test_rename_to_a_used_name_is_refused(desk, dispatcher):
    for name in ("Held", "Other"):
        view = save_view(name=name, query="q=a", owner=dispatcher)
    answer = desk.post(VIEWS, {"do": "rename", "view": view.pk, "name": "Held"})
    assert "There is a view “Held” already." in texts(answer)[-1]
    view.refresh_from_db()
    assert view.name == "Other"


@pytest.mark.parametrize("do", ["rename", "delete"])
def test_views_of_others_do_not_exist(desk, do):
    other = User.objects.create_user("other")
    view = save_view(name="Theirs", query="q=a", owner=other)
    for pk in (view.pk, view.pk + 1, "x", "9" * 40):
        answer = desk.post(VIEWS, {"do": do, "view": pk, "name": "Mine"})
        assert texts(answer)[-1] == "This view does not exist. Reload the page."
    view.refresh_from_db()
    assert view.name == "Theirs"


@pytest.mark.parametrize("do", ["rename", "delete"])
def test_views_of_all_are_changed_by_those_who_share(desk, do):
    view = save_view(name="Shared", query="q=a", owner=None)
    assert desk.post(VIEWS, {"do": do, "view": view.pk, "name": "Mine"}).status_code == 403
    view.refresh_from_db()
    assert view.name == "Shared"


def test_owner_deletes_a_view_of_all(owner):
    view = save_view(name="Shared", query="q=a", owner=None)
    owner.post(VIEWS, {"do": "delete", "view": view.pk})
    assert not SavedView.objects.exists()


def test_view_whose_filter_is_gone_still_answers(desk, dispatcher):
    SavedView.objects.create(name="Old", query="needs=gone", owner=dispatcher)
    assert desk.get(f"{LIST}?needs=gone")["Location"] == f"{LIST}?e=1"


def test_saving_is_a_post(desk):
    assert desk.get(VIEWS).status_code == 405


def test_staff_without_jobs_has_no_views(client):
    client.force_login(User.objects.create_user("sam", is_staff=True))
    assert post(client).status_code == 403
    assert not SavedView.objects.exists()
