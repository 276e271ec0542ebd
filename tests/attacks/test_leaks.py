"""No anonymous answer shows what only staff, or only the people with a link, may see.

Every text of every table has a unique marker. The crawl asks for everything it can name, and
fails if a marker arrives that decisions.py does not allow there.
"""

import json

import pytest
from django.core.wsgi import get_wsgi_application

from crews.models import CrewLink
from deployments.models import Release
from edge.backends import get_backend
from edge.local_edge import in_front_of
from tests.attacks import crawl, world
from tests.attacks.asking import Request, ask, session_of
from tests.attacks.decisions import AS_IT_IS, DECISIONS, LINK, SECRET
from tests.attacks.markers import Markers, text_fields
from tracking.documents import public_document
from tracking.models import TrackingLink
from tracking.publishing import publish_behind

pytestmark = pytest.mark.django_db
# Of the tracking document: what each holds is listed in docs/reference/tracking-document.md.
DOCUMENT = {
    "v", "number", "status", "label", "flow", "service", "window", "area", "first_name", "price",
    "crew", "on_hold", "updated_at", "revision", "lang", "cancelled_by", "placed", "price_question",
    "late_by",
}  # fmt: skip
PRIVATE = (
    *("registry/jobs.json", "audit/20260101-000000-1.json", "backup/db.json", "media/a.jpg"),
    *("uploads/20260101000000-0.zip", "incoming/staging/a.zip", "incoming/refused/staging/a.zip"),
)


@pytest.fixture(scope="module")
def markers(installation):
    """A marked installation: the markers. The surfaces are built from marked rows too."""
    ours, backend = Markers(), get_backend()
    users = world.make_users()
    world.make_jobs()
    ours.mark_all()
    publish_behind(objects=backend.objects)
    world.deploy_releases(backend, installation.parent / "sites")
    world.make_operations()
    world.make_build()
    world.make_hooks_and_tokens()
    world.make_logs(users["superuser"])
    session_of(users["superuser"])
    ours.mark_all()
    mark_objects(backend.objects, ours)
    return ours


def mark_objects(objects, ours):
    """Write a marker into every private object: audits, and pages that were never deployed."""
    deployed = set(Release.objects.filter(deployments__isnull=False).values_list("name", flat=True))
    for key in [*PRIVATE, *(one.key for one in objects.list(""))]:
        folder, _, rest = key.partition("/")
        is_page = folder == "releases" and rest.partition("/")[0] not in deployed
        if key in PRIVATE or folder == "audit" or (is_page and key.endswith(".html")):
            store(objects, key, ours.text(key))


def store(objects, key, text):
    objects.put(key, text.encode(), content_type="text/html", cache_control="no-store")


@pytest.fixture
def leaks(markers):
    """Return a function that sends requests and reports the markers that arrive.

    What a request says itself may be repeated: an address in a redirect. `of_routes` goes to
    Django itself, because the edge keeps some paths from it.
    """
    django = get_wsgi_application()
    edge = in_front_of(django)

    def run(requests, allowed=frozenset()):
        found = []
        application = django if requests.__name__ == "of_routes" else edge
        for request in requests:
            answer = ask(application, request)
            arrived = markers.found_in(answer.text) - allowed
            for marker in arrived - markers.found_in(request.target) if arrived else ():
                found.append(f"{markers.places[marker]} in {answer.status} of {request}")
        return found

    return run


# The table of decisions


def columns(fields_by_label):
    return {f"{label}.{name}" for label, fields in fields_by_label.items() for name in fields}


def test_every_text_field_has_a_decision():
    decided, actual = columns(DECISIONS), columns(text_fields())
    assert actual - decided == set(), "Decide in tests/attacks/decisions.py who may see it."
    assert decided - actual == set(), "Remove it from tests/attacks/decisions.py."


def test_everything_that_is_not_public_is_marked(markers):
    looked_for = {
        f"{label}.{name}"
        for label, fields in DECISIONS.items()
        for name, decision in fields.items()
        if decision in (SECRET, AS_IT_IS, LINK)
    }
    unmarked = [column for column in looked_for if not markers.in_column(column)]
    assert unmarked == [], "Make a row with a value in tests/attacks/world.py."


def test_everything_public_has_a_reason():
    decisions = {one for fields in DECISIONS.values() for one in fields.values()}
    others = decisions - {SECRET, AS_IT_IS, LINK}
    assert [one for one in others if not one.startswith("public: ")] == []


# The crawl


@pytest.mark.parametrize("kind", ["of_routes", "of_behaviours", "of_wrong_links", "of_errors"])
def test_anonymous_visitor_sees_nothing_private(leaks, kind):
    assert leaks(getattr(crawl, kind)()) == []


def test_no_stored_object_is_readable_by_its_name(leaks, installation):
    assert leaks(crawl.of_objects(get_backend().objects)) == []


def test_link_shows_its_own_job_only(leaks, markers):
    for link in TrackingLink.objects.active():
        assert leaks(crawl.of_link(link), allowed=markers.at_link(link)) == []


def test_crew_s_link_shows_its_own_run_only(leaks, markers):
    (link,) = CrewLink.objects.filter(revoked_at=None)
    allowed = markers.at_crew_link(link)
    assert leaks(crawl.of_crew_link(link), allowed=allowed) == []
    # The page has what it is for, or the line above would hold for an empty one.
    page = ask(get_wsgi_application(), Request(f"/crew/{link.token}/")).text
    assert len(markers.found_in(page)) >= 20


def test_tracking_document_has_only_what_its_list_allows(markers):
    for link in TrackingLink.objects.active():
        document = public_document(link.job)
        assert document.keys() == DOCUMENT
        allowed = markers.at_link(link)
        assert markers.found_in(json.dumps(document)) <= allowed
        # The document was made from marked rows, or the line above would hold for any document.
        assert len(markers.found_in(json.dumps(document))) >= 3


# The crawl finds what leaks


@pytest.fixture
def planted(settings):
    """Add the faulty pages of planted_urls.py."""
    settings.ROOT_URLCONF = "tests.attacks.planted_urls"


def test_leak_of_a_view_is_found(leaks, planted):
    found = leaks(crawl.of_routes("planted/"))
    for place, address in {
        "dispatch.Customer.phone": "GET /planted/phone/",
        "dispatch.Customer.email": "HEAD /planted/email/",
        "dispatch.Job.access_notes": "POST /planted/notes/",
        "last name, dispatch.Job.contact_name": "GET /planted/0/",
    }.items():
        assert any(line.startswith(place) and address in line for line in found), address


def test_page_of_an_exception_shows_nothing(markers, planted):
    answer = ask(get_wsgi_application(), Request("/planted/exception/"))
    assert answer.status == 500
    assert markers.found_in(answer.text) == set()


def test_leak_of_the_store_is_found(leaks, markers):
    objects = get_backend().objects
    store(objects, "assets/a.txt", markers.text("a file that was pushed by mistake"))
    assert "a file that was pushed by mistake" in leaks(crawl.of_objects(objects))[0]
    objects.delete(["assets/a.txt"])


def test_leak_of_a_document_is_found(leaks, markers):
    link = TrackingLink.objects.active().first()
    objects = get_backend().objects
    before = objects.get(link.key)
    leaked = json.dumps(public_document(link.job) | {"phone": str(link.job.customer.phone)})
    store(objects, link.key, leaked)
    found = leaks(crawl.of_link(link), allowed=markers.at_link(link))
    store(objects, link.key, before.body.decode())
    assert found
    assert all(line.startswith("dispatch.Customer.phone") for line in found)
