"""The pages on which customers change their job."""

import re
from uuid import uuid4

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from dispatch.changing import change_details, set_price
from dispatch.models import Job, JobEvent, Photo
from dispatch.prices import parse_price
from dispatch.statuses import Status
from dispatch.windows.recount import drift
from notifications.models import Message
from tests.builders import make_crew, make_customer, make_job, make_price
from tests.dispatch.customer_actions.builders import (
    DAY,
    NOW,
    make_held_job,
    make_placed_job,
    make_windows,
)
from tests.photo_files import jpeg
from tests.tracking.builders import make_link
from tracking.access import unlock
from tracking.links import revoke_link
from tracking.models import TrackingLink

pytestmark = pytest.mark.django_db
TOKEN = "AB.12"
PAGES = ("move", "cancel", "pickup", "price", "photos", "gate")


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def client():
    """A client subject to CSRF checks, like a browser."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def windows():
    return make_windows(3, 4, 5, 6)


@pytest.fixture
def job(windows):
    """A scheduled job in the first window."""
    return make_held_job(windows[0], contact_email="mark@example.com")


@pytest.fixture
def link(job):
    return make_link(job=job, token=TOKEN)


@pytest.fixture
def open_link(client, link):
    """The link, unlocked in this client."""
    return unlocked(client, link)


def unlocked(client, link):
    unlock(answer := HttpResponse(), link)
    client.cookies.update(answer.cookies)
    return link


def page(name):
    return f"/t/{TOKEN}/{name}/"


def hidden(response, name):
    return re.search(rf'name="{name}" value="([^"]*)"', response.content.decode())[1]


def send(client, name, *, shown=None, **typed):
    """Send a page's form as a browser does; `shown` is the answer that had it."""
    shown = shown or client.get(page(name))
    keys = {key: hidden(shown, key) for key in ("form_key", "revision")}
    return client.post(page(name), {**keys, **typed})


def state():
    tables = (Job, JobEvent, Photo, Message, TrackingLink)
    return [list(table._base_manager.order_by("pk").values()) for table in tables]


def ask_price(job):
    for text in ("300", "400"):
        fresh = Job.objects.get(pk=job.pk)
        set_price(job=fresh, price=parse_price(text), actor="dana", reason="Heavier")


def test_job_page_offers_what_is_possible(client, open_link):
    text = client.get(f"/t/{TOKEN}/").content.decode()
    for name in ("move", "cancel", "photos", "gate"):
        assert f'href="{page(name)}"' in text
    for name in ("pickup", "price"):
        assert page(name) not in text


def test_job_is_moved(client, open_link, windows):
    answer = send(client, "move", window=windows[1].pk)
    assert (answer.status_code, answer["Location"]) == (303, f"/t/{TOKEN}/?done=moved")
    shown = client.get(answer["Location"]).content.decode()
    assert "Your job has its new time." in shown
    assert Message.objects.get().event == "rescheduled"
    assert drift(NOW) == []


def test_job_is_cancelled(client, open_link, job):
    answer = send(client, "cancel", reason="price", words="Found it for $200")
    shown = client.get(answer["Location"]).content.decode()
    assert "Your job is cancelled" in shown
    assert "Change your job" not in shown
    assert job.events.last().reason == "The price is too high: Found it for $200"
    assert Message.objects.get().event == "cancelled"


def test_pickup_is_chosen(client, windows):
    job = make_placed_job(contact_email="mark@example.com")
    make_price(job)
    unlocked(client, make_link(job=job, token=TOKEN))
    answer = send(client, "pickup", window=windows[1].pk)
    assert answer["Location"].endswith("?done=pickup")
    assert Message.objects.get().event == "scheduled"


def test_pickup_without_free_windows_is_asked_for(client):
    job = make_placed_job(contact_email="mark@example.com")
    make_price(job)
    make_windows(3, units=1)
    unlocked(client, make_link(job=job, token=TOKEN))
    shown = client.get(page("pickup"))
    assert 'value="other" selected' in shown.content.decode()
    answer = send(client, "pickup", shown=shown, window="other")
    assert answer["Location"].endswith("?done=pickup-asked")
    assert "none is promised yet" in client.get(answer["Location"]).content.decode()
    assert Message.objects.get().event == "customer_wrote"


@pytest.mark.parametrize(
    ("answer", "done"),
    [("yes", "price-accepted"), ("no", "price-refused"), ("call", "call-asked")],
)
def test_price_is_answered(client, open_link, job, answer, done):
    ask_price(job)
    shown = client.get(page("price"))
    assert "$300 all-in" in shown.content.decode()
    assert "$400 all-in" in shown.content.decode()
    given = send(client, "price", shown=shown, answer=answer)
    assert given["Location"].endswith(f"?done={done}")
    assert f'href="{page("price")}"' not in client.get(given["Location"]).content.decode()


def test_photos_and_a_note_are_added(client, open_link, job):
    photos = [SimpleUploadedFile("a.jpg", jpeg()), SimpleUploadedFile("b.jpg", jpeg())]
    answer = send(client, "photos", photos=photos, note="By the shed")
    assert answer["Location"].endswith("?done=added")
    job.refresh_from_db()
    assert (job.details, Photo.objects.count()) == ("Customer, Nov 20: By the shed", 2)
    assert "Up to 4 more." in client.get(page("photos")).content.decode()


def test_gate_code_is_written_and_never_shown(client, open_link, job):
    answer = send(client, "gate", code="Gate 4411")
    job.refresh_from_db()
    assert job.access_notes == "Nov 20: Gate 4411"
    shown = [client.get(path) for path in (answer["Location"], *map(page, PAGES))]
    assert not [one for one in shown if b"4411" in one.content]
    assert "4411" not in str(list(JobEvent.objects.values()))
    assert "4411" not in str(list(Message.objects.values()))


def test_same_form_again_leads_to_the_same_answer(client, open_link, windows):
    shown = client.get(page("move"))
    answers = [send(client, "move", shown=shown, window=one.pk) for one in windows[1:3]]
    assert [answer["Location"] for answer in answers] == [f"/t/{TOKEN}/?done=moved"] * 2
    assert (Job.objects.get().window, Message.objects.count()) == (windows[1], 1)


@pytest.mark.parametrize("name", PAGES)
def test_scanner_that_opens_every_link_changes_nothing(client, open_link, job, name):
    ask_price(job)
    before = state()
    for method in (client.get, client.head, client.options):
        for path in (page(name), f"{page(name)}?form_key={uuid4()}&revision=1&answer=yes"):
            method(path)
    for path in (f"/t/{TOKEN}/", *(f"/t/{TOKEN}/?done={done}" for done in ("moved", "cancelled"))):
        client.get(path)
    assert state() == before


def test_stale_page_says_what_changed_and_keeps_what_was_typed(client, open_link, job, windows):
    shown = client.get(page("cancel"))
    changes = {"window_start": windows[3].start, "window_end": windows[3].end}
    change_details(job=job, changes=changes, actor="dana", reason="Truck broke down")
    answer = send(client, "cancel", shown=shown, reason="other", words="Moving away")
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "so nothing was saved. The arrival window is now Thursday, Nov 26, 11:00" in text
    assert 'value="Moving away"' in text
    assert re.search(r'value="other"[^>]*checked', text)
    assert not re.search("dana|Truck broke", text)
    again = send(client, "cancel", shown=answer, reason="other", words="Moving away")
    assert again["Location"].endswith("?done=cancelled")


def test_stale_page_of_what_is_not_possible_any_more(client, open_link, job, windows):
    shown = client.get(page("move"))
    Job.objects.update(status=Status.EN_ROUTE)
    change_details(job=Job.objects.get(), changes={"crew": make_crew()}, actor="dana")
    answer = send(client, "move", shown=shown, window=windows[1].pk)
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "Its details were changed." in text
    assert "The crew is on the way" in text
    assert "tel:+19075550100" in text


def test_full_window_is_refused_with_others(client, open_link, windows):
    shown = client.get(page("move"))
    make_held_job(windows[1], units=15)
    answer = send(client, "move", shown=shown, window=windows[1].pk)
    assert answer.status_code == 422
    assert "Free next: Wednesday, Nov 25" in answer.content.decode()
    assert "Thursday, Nov 26" in answer.content.decode()


@pytest.mark.parametrize("name", ["move", "cancel"])
def test_after_the_cut_off_the_page_offers_times_and_the_phone(client, open_link, clock, name):
    shown = client.get(page(name))
    clock.shift(2 * DAY + DAY / 2)
    unlocked(client, open_link)
    for answer in (
        client.get(page(name)),
        send(client, name, shown=shown, window=1, reason="time"),
    ):
        text = answer.content.decode()
        assert "until 24 hours before its time" in text
        assert "Free right now:" in text
        assert "tel:+19075550100" in text
        assert "<form" not in text
    assert not JobEvent.objects.filter(actor="customer").exists()


def test_refusal_leads_to_what_helps_instead(client):
    unlocked(client, make_link(job=make_placed_job(), token=TOKEN))
    assert f'href="{page("pickup")}"' in client.get(page("cancel")).content.decode()


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("move", {}, "Choose a time from the list."),
        ("move", {"window": "other"}, "Choose a time from the list."),
        ("move", {"window": "1; drop"}, "Choose one of the times"),
        ("move", {"window": "999999"}, "not free any more"),
        ("cancel", {}, "Choose a reason."),
        ("cancel", {"reason": "other", "words": "x" * 201}, "at most 200"),
        ("photos", {}, "Choose photos or write a note."),
        ("photos", {"note": "x" * 501}, "at most 500"),
        ("photos", {"photos": SimpleUploadedFile("a.jpg", b"text")}, "not a photo"),
        ("gate", {}, "Enter the code"),
        ("gate", {"code": "a\x00b"}, "Null characters"),
        ("price", {}, "Choose an answer."),
        ("price", {"answer": "maybe"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_is_refused_at_the_field(client, open_link, job, name, typed, said):
    ask_price(job)
    answer = send(client, name, **typed)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert said in text
    assert 'id="problems"' in text
    assert not JobEvent.objects.filter(actor="customer").exists()


@pytest.mark.parametrize("keys", [{}, {"form_key": "x"}, {"revision": "-1"}])
def test_form_without_its_key_is_shown_again_with_one(client, open_link, keys):
    given = {"form_key": str(uuid4()), "revision": "1"} if keys else {}
    answer = client.post(page("gate"), {**given, **keys, "code": "Gate 4411"})
    assert answer.status_code == 422
    assert "Gate 4411</textarea>" in answer.content.decode()
    assert 'id="problems"' not in answer.content.decode()
    again = send(client, "gate", shown=answer, code="Gate 4411")
    assert again.status_code == 303


@pytest.mark.parametrize("name", PAGES)
def test_locked_link_leads_to_the_digits(client, link, name):
    before, digits = state(), f"/t/{TOKEN}/unlock/?next={name}%2F"
    answer = client.get(page(name))
    assert (answer.status_code, answer["Location"]) == (303, digits)
    answer = client.post(page(name), {"form_key": str(uuid4())})
    assert (answer.status_code, f'action="{digits}"' in answer.content.decode()) == (403, True)
    assert state() == before


def test_digits_lead_on_to_the_page(client):
    customer = make_customer(phone="+19075550142")
    make_link(job=make_job(customer=customer), token=TOKEN)
    answer = client.post(f"/t/{TOKEN}/unlock/?next=cancel%2F", {"digits": "0142"})
    assert answer["Location"] == page("cancel")
    assert send(client, "cancel", reason="other")["Location"].endswith("?done=cancelled")


@pytest.mark.parametrize("name", PAGES)
def test_cookie_of_another_link_or_an_old_one_opens_nothing(client, link, clock, name):
    unlocked(client, make_link())
    assert client.get(page(name)).status_code == 303
    unlocked(client, link)
    clock.shift(DAY / 24)
    assert client.get(page(name)).status_code == 303


@pytest.mark.parametrize("name", PAGES)
def test_revoked_link_is_refused(client, open_link, name):
    shown = client.get(page("gate"))
    revoke_link(link=open_link, actor="dana", reason="lost")
    assert client.get(page(name)).status_code == 404
    assert send(client, name, shown=shown, code="4411", note="x").status_code == 404
    assert not JobEvent.objects.filter(actor="customer").exists()


@pytest.mark.parametrize("name", PAGES)
def test_receipt_is_refused(client, open_link, name):
    TrackingLink.objects.update(is_receipt=True)
    assert client.get(page(name)).status_code == 303
    assert "Change your job" not in client.get(f"/t/{TOKEN}/").content.decode()


@pytest.mark.parametrize("name", PAGES)
def test_form_of_another_site_is_refused(client, open_link, name):
    keys = {"form_key": str(uuid4()), "revision": "1", "code": "4411"}
    answer = client.post(page(name), keys, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert not JobEvent.objects.filter(actor="customer").exists()


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("method", ["get", "post", "put"])
def test_pages_are_private(client, open_link, name, method):
    answer = getattr(client, method)(page(name))
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["X-Robots-Tag"] == "noindex"


def test_made_up_result_says_nothing(client, open_link, windows, clock):
    for done in ("cancelled", "moved", "x", "<b>"):
        assert 'id="done"' not in client.get(f"/t/{TOKEN}/", {"done": done}).content.decode()
    answer = send(client, "move", window=windows[1].pk)
    clock.shift(DAY / 12)
    assert 'id="done"' not in client.get(answer["Location"]).content.decode()


def test_key_of_another_job_is_shown_as_a_fresh_form(client, open_link):
    other, key = make_job(), uuid4()
    JobEvent.objects.create(
        job=other, kind="answer", status=other.status, revision=2, actor="customer", key=key
    )
    answer = client.post(page("gate"), {"form_key": key, "revision": "1", "code": "4411"})
    assert answer.status_code == 409
    assert send(client, "gate", shown=answer, code="4411").status_code == 303


def test_pages_speak_the_language_of_the_job(client, open_link, job, windows):
    Job.objects.update(language="es")
    ask_price(job)
    text = client.get(page("price")).content.decode()
    assert "Cambió el precio de su trabajo." in text
    assert "$300, todo incluido" in text
    shown = client.get(page("move"))
    assert "martes 24 de noviembre" in shown.content.decode()
    answer = send(client, "move", shown=shown, window=windows[1].pk)
    assert "Su trabajo tiene su nuevo horario." in client.get(answer["Location"]).content.decode()
    text = client.get(f"/t/{TOKEN}/").content.decode()
    assert "Cancelar este trabajo" in text
