"""What a crew's page shows, and to whom."""

from datetime import date, datetime, timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from dispatch.changing import change_details
from dispatch.models import Job, Photo, Run
from dispatch.photos.intake import ready_photo
from dispatch.photos.storing import add_photos
from dispatch.stepping import advance
from dispatch.visits import Failure, fail_visit
from tests.builders import make_crew, make_customer
from tests.crews.builders import make_link, make_stop
from tests.photo_files import jpeg

pytestmark = pytest.mark.django_db
NOW = datetime.fromisoformat("2026-11-23T10:30:00-07:00")
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def a_monday_morning():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def link():
    return make_link()


def page(link, **headers):
    answer = Client().get(f"/crew/{link.token}/", headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def window(*, hours):
    """Return an arrival window of an hour that begins so many hours from now."""
    return {"window_start": NOW + hours * HOUR, "window_end": NOW + (hours + 1) * HOUR}


def places(text, *parts):
    """Return the parts in the order in which the text has them."""
    return sorted(parts, key=text.index)


def give_photo(job):
    file = SimpleUploadedFile("a.jpg", jpeg())
    return add_photos(job=job, photos=[ready_photo(file, name="a.jpg")], actor="customer")[0]


def test_page_says_what_a_crew_needs(link):
    customer = make_customer(name="Ann Berg", phone="+19075550142")
    make_stop(
        link, customer=customer, unit="4", details="A couch", load_size="half",
        access_notes="Gate 7781", place_on_site="garage",
    )  # fmt: skip
    text = page(link)
    for wanted in (
        link.crew.name, "Monday, Nov 23", "1 of 1 left", "11:00 AM", "1:00 PM", "Ann Berg",
        "tel:+19075550142", "1423 Soderblom Avenue, 4", "1423+Soderblom+Avenue%2C+Fairbanks",
        "Junk removal", "Half a truck", "$600 all-in", "A couch", "Gate 7781",
        "In a garage or shed",
    ):  # fmt: skip
        assert wanted in text, wanted


def test_run_is_in_the_office_s_order(link):
    first, second, third = (
        make_stop(link, address_line=f"{n} Chena Ridge", **window(hours=n)) for n in (1, 2, 3)
    )
    addresses = [job.address_line for job in (first, second, third)]
    assert places(page(link), *addresses) == addresses
    Run.objects.create(
        crew=link.crew, day=link.day, order=[third.pk, first.pk, second.pk], actor="d"
    )
    assert places(page(link), *addresses) == [addresses[2], addresses[0], addresses[1]]


def test_crew_never_sees_another_crew_s_customers(link):
    make_stop(link)
    other = make_link(make_crew())
    names = {"contact_name": "Zelda Quist", "address_line": "9 Secret Road", "details": "A safe"}
    job = make_stop(other, access_notes="Gate 9999", **names)
    photo = give_photo(job)
    text = page(link)
    for secret in ("Zelda", "Secret Road", "A safe", "9999", job.label, photo.small[7:]):
        assert secret not in text
        assert secret in page(other)
    path = f"photo/{photo.small.removeprefix('photos/')}"
    assert Client().get(f"/crew/{other.token}/{path}").status_code == 200
    assert Client().get(f"/crew/{link.token}/{path}").status_code == 404


def test_other_days_and_unassigned_jobs_are_not_shown(link):
    make_stop(link, address_line="1 Tomorrow", **window(hours=24))
    make_stop(link, address_line="2 Nobody", crew=None)
    text = page(link)
    assert "1 Tomorrow" not in text
    assert "2 Nobody" not in text
    assert "No jobs yet" in text


@pytest.mark.parametrize("status", ["scheduled", "en_route", "in_progress"])
def test_gate_code_is_gone_when_the_job_is_done(link, status):
    job = make_stop(link, status=status, access_notes="Gate 7781", details="A couch")
    give_photo(job)
    text = page(link)
    assert "Gate 7781" in text
    assert "/photo/" in text
    advance(job=Job.objects.get(), to="completed", actor="dana")
    text = page(link)
    for private in ("7781", "A couch", "/photo/", "tel:+1907555014"):
        assert private not in text


def test_cancelled_job_is_shown_as_cancelled_that_day_only(link):
    job = make_stop(link, status="cancelled", access_notes="Gate 7781")
    assert job.label not in page(link)  # cancelled without an event today, as last week
    job = make_stop(link, status="en_route", access_notes="Gate 7781", contact_name="Ann Berg")
    advance_to_cancelled(job)
    text = page(link)
    assert "The office cancelled this job. Do not go there." in text
    assert "Ann Berg" in text
    assert "7781" not in text


def advance_to_cancelled(job):
    from dispatch.changing import move_job  # noqa: PLC0415

    move_job(job=job, to="cancelled", actor="dana", side="firm", reason="Truck broke down")


def test_failed_visit_is_shown(link):
    job = make_stop(link, status="en_route")
    fail_visit(job=job, why=Failure.NO_ACCESS, actor=link.actor)
    assert "You could not do it: We could not get in." in page(link)
    change_details(job=job, changes={"details": "Gate is open now"}, actor="dana")
    assert "You could not do it" not in page(link)


def test_held_and_unconfirmed_jobs_offer_no_step(link):
    make_stop(link, on_hold=True, hold_reason="Waits for a permit")
    make_stop(link, status="requested")
    text = page(link)
    assert "On hold: Waits for a permit. Call the office." in text
    assert "The office has not confirmed this job" in text
    assert 'class="button next"' not in text


def test_what_customers_wrote_is_text(link):
    make_stop(link, details="<script>alert(1)</script>", access_notes='"><img src=x>')
    text = page(link)
    assert "<script>alert" not in text
    assert "<img src=x>" not in text


def test_queries_do_not_grow_with_the_run(link, django_assert_max_num_queries):
    for _ in range(2):
        give_photo(make_stop(link))
    with django_assert_max_num_queries(8):
        page(link)
    for _ in range(6):
        give_photo(make_stop(link))
    with django_assert_max_num_queries(8):
        page(link)


def test_photo_that_is_gone_is_404(link):
    job = make_stop(link)
    photo = give_photo(job)
    name = photo.small.removeprefix("photos/")
    answer = Client().get(f"/crew/{link.token}/photo/{name}")
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    Photo.objects.all().delete()
    assert Client().get(f"/crew/{link.token}/photo/{name}").status_code == 404


# Languages


def test_language_is_the_browser_s_until_one_is_chosen(link):
    client = Client(headers={"Accept-Language": "es-MX,es;q=0.9"})
    assert '<html lang="es">' in client.get(f"/crew/{link.token}/").content.decode()
    chosen = client.get(f"/crew/{link.token}/?lang=en")
    assert '<html lang="en">' in chosen.content.decode()
    cookie = chosen.cookies["crew_language"]
    assert (cookie["path"], cookie["samesite"], cookie["httponly"]) == ("/crew/", "Lax", True)
    assert '<html lang="en">' in client.get(f"/crew/{link.token}/").content.decode()


def test_unknown_language_is_ignored(link):
    answer = Client().get(f"/crew/{link.token}/?lang=xx")
    assert '<html lang="en">' in answer.content.decode()
    assert not answer.cookies


# The worker


def test_worker_names_the_files_of_the_page():
    answer = Client().get("/crew/sw.js")
    assert (answer["Content-Type"], answer["Cache-Control"]) == ("text/javascript", "no-cache")
    assert 'const SHELL = ["/static/crews/run.css", "/static/crews/run.js"];' in (
        answer.content.decode()
    )


def test_page_is_compressed_for_those_who_read_that(link):
    for _ in range(12):
        make_stop(link, access_notes="Gate 7781", details="A couch and boxes " * 20)
    answer = Client().get(f"/crew/{link.token}/", headers={"Accept-Encoding": "gzip"})
    assert answer["Content-Encoding"] == "gzip"
    assert len(answer.content) < 12_000  # of 20 KB with the style and the script


def test_day_of_the_link_decides_after_midnight(link):
    make_stop(link, address_line="1 Late Road", status="in_progress")
    with time_machine.travel(NOW.replace(day=24, hour=2), tick=False):
        assert "1 Late Road" in page(link)
        assert link.day == date(2026, 11, 23)
