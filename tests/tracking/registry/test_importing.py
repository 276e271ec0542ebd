"""Taking over a registry: complete, repeatable, silent towards customers, exact about refusals."""

import json

import pytest
from django.utils import timezone

from dispatch.booking import create_job
from dispatch.changing import change_details
from dispatch.models import Customer, Job, JobEvent
from dispatch.numbers import last_number
from dispatch.statuses import Status
from edge.backends import get_backend
from notifications.models import Message
from tests.builders import make_customer, make_job
from tests.tracking.builders import make_link
from tests.tracking.registry.builders import CLOSED_TOKENS, ODD_TOKENS, counts, former, take
from tracking.links import find_link, revoke_link, rotate
from tracking.models import TrackingLink
from tracking.publishing import publish
from tracking.registry import importing
from tracking.registry.importing import import_jobs
from tracking.registry.mapping import load_tables

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(importing, "AT_ONCE", 3)


def refused(done):
    return [(one.line, one.id, one.field) for one in done.refused]


def state():
    """Return all that an import writes, but for keys and times."""
    jobs = Job.objects.order_by("number").values_list(
        "number", "former_id", "contact_name", "contact_email", "customer__phone",
        "address_line", "unit", "town", "zip_code", "service__code", "status", "revision",
    )  # fmt: skip
    links = TrackingLink.objects.order_by("token").values_list("token", "job__number", "revoked_by")
    events = JobEvent.objects.order_by("job__number", "revision")
    prices = [str(job.price) for job in Job.objects.order_by("number")]
    return [*jobs], [*links], [*events.values_list("job__number", "kind", "status")], prices


def test_job_is_as_the_former_system_had_it(tmp_path):
    row = former(phone="(907) 456-0143", email="mark@example.com", status="Ready for pickup")
    assert counts(take(tmp_path, {"QDN-1042": row})) == (1, 0, 0, 0)
    job = Job.objects.get(number=1042)
    assert (job.contact_name, job.contact_email) == ("Mark Ames", "mark@example.com")
    assert job.address == "1423 Soderblom Avenue, Fairbanks, 99709"
    assert (job.status, str(job.price)) == (Status.READY_FOR_PICKUP, "$600 all-in")
    assert (job.customer.name, job.customer.e164) == ("Mark Ames", "+19074560143")
    event = job.events.get()
    assert (event.kind, event.status, event.actor) == ("created", job.status, "pat")
    assert find_link("former-token").job == job


def test_other_ids_are_kept_beside_a_new_number(tmp_path):
    take(tmp_path, {"17-b": former(), "QDN-3000": former(token="other")})
    job = Job.objects.get(former_id="17-b")
    assert job.number == 3001  # above all numbers of the file, wherever they are
    assert list(Job.objects.search("17-b")) == [job]


def test_numbers_continue_above_the_imported_ones(tmp_path):
    take(tmp_path, {"QDN-5000": former()})
    job = create_job(
        name="Mark Ames", phone="907-456-0142", actor="pat",
        address="1423 Soderblom Avenue, Fairbanks, 99709",
    )  # fmt: skip
    assert job.number == last_number() == 5001


def test_customers_are_found_by_phone_and_not_changed(tmp_path):
    known = make_customer(name="Dana Rivers")
    rows = {
        "a": former(phone=known.e164),
        "b": former(phone="907-456-0143", token="b"),
        "c": former(phone="+1 907 456 0143", token="c", name="Ann"),
        "d": former(token="d"),
        "e": former(token="e"),
    }
    take(tmp_path, rows)
    customers = [job.customer for job in Job.objects.order_by("number")]
    assert customers[0] == known
    assert customers[1] == customers[2]
    assert [one.phone for one in customers[3:]] == [None, None]
    known.refresh_from_db()
    assert (known.name, Customer.objects.count()) == ("Dana Rivers", 4)


def test_customers_get_no_message(tmp_path, settings):
    settings.SMS_BACKEND = "x"
    rows = {"QDN-1042": former(email="mark@example.com", phone="907-456-0143")}
    take(tmp_path, rows)
    rows["QDN-1042"] |= {"status": "completed", "price": "700 all-in"}
    assert take(tmp_path, rows).changed == 1
    assert not Message.objects.exists()


def test_documents_are_published(tmp_path):
    take(tmp_path, {"QDN-1042": former()})
    objects = get_backend().objects
    assert publish(objects=objects)["written"] == 1
    document = json.loads(objects.get(find_link("former-token").key).body)
    assert (document["number"], document["status"]) == ("QDN-1042", "scheduled")
    take(tmp_path, {"QDN-1042": former(status="done")})
    assert publish(objects=objects)["written"] == 1


@pytest.mark.parametrize("token", [*ODD_TOKENS, *CLOSED_TOKENS])
def test_tokens_are_kept_as_they_are(tmp_path, token):
    done = take(tmp_path, {"QDN-1042": former(token=token)})
    assert find_link(token).job.number == 1042
    assert done.unreachable == (["QDN-1042"] if token in CLOSED_TOKENS else [])


def test_second_run_changes_nothing(tmp_path):
    rows = {f"QDN-{n}": former(token=f"t{n}", price="400-600") for n in range(2000, 2010)}
    rows |= {"x": former(token="x"), "broken": former(price="lots"), "again": former(token="x")}
    first = take(tmp_path, rows)
    before = state()
    second = take(tmp_path, rows)
    assert counts(first) == (11, 0, 0, 2)
    assert counts(second) == (0, 0, 11, 2)
    assert refused(first) == refused(second)
    assert state() == before
    assert publish(objects=get_backend().objects)["written"] == 11


def test_killed_halfway_and_run_again_is_equal(tmp_path):
    rows = {f"job {n}": former(token=f"t{n}") for n in range(10)} | {"QDN-2000": former(token="q")}

    class Killed(BaseException):
        pass

    def kill(read):
        if read > 4:
            raise Killed

    with pytest.raises(Killed):
        take(tmp_path, rows, progress=kill)
    assert Job.objects.count() == 6
    assert counts(take(tmp_path, rows)) == (5, 0, 6, 0)
    assert [job.former_id for job in Job.objects.order_by("number")[1:]] == list(rows)[:10]


def test_later_file_updates_what_only_imports_have_changed(tmp_path):
    take(tmp_path, {"QDN-1042": former()})
    later = former(status="in progress", price="700 all-in", phone="907-456-0143", name="Mark B.")
    for _ in range(2):
        done = take(tmp_path, {"QDN-1042": later})
    assert counts(done) == (0, 0, 1, 0)
    job = Job.objects.get()
    assert (job.status, str(job.price), job.contact_name) == (
        "in_progress",
        "$700 all-in",
        "Mark B.",
    )
    assert (job.customer.e164, job.revision) == ("+19074560143", 2)


def test_what_was_changed_here_wins(tmp_path):
    take(tmp_path, {"QDN-1042": former()})
    change_details(job=Job.objects.get(), changes={"details": "couch"}, actor="pat")
    assert counts(take(tmp_path, {"QDN-1042": former(status="done")})) == (0, 0, 1, 0)
    assert Job.objects.get().status == "scheduled"


def test_field_that_a_later_file_lacks_is_kept(tmp_path):
    take(tmp_path, {"QDN-1042": former(phone="907-456-0143", email="m@example.com")})
    assert counts(take(tmp_path, {"QDN-1042": former(price="")})) == (0, 0, 1, 0)


def test_new_token_of_the_former_system_replaces_the_imported_one(tmp_path):
    take(tmp_path, {"QDN-1042": former(token="old")})
    assert counts(take(tmp_path, {"QDN-1042": former(token="new")})) == (0, 1, 0, 0)
    assert find_link("old") is None
    assert find_link("new").job.number == 1042
    assert counts(take(tmp_path, {"QDN-1042": former(token="old")})) == (0, 0, 1, 0)


@pytest.mark.parametrize("end", [rotate, revoke_link])
def test_link_that_was_ended_here_stays_ended(tmp_path, end):
    take(tmp_path, {"QDN-1042": former()})
    end(link=TrackingLink.objects.get(), actor="pat", reason="lost")
    assert counts(take(tmp_path, {"QDN-1042": former()})) == (0, 0, 1, 0)
    assert find_link("former-token") is None
    done = take(tmp_path, {"QDN-1042": former(token="third")})
    assert refused(done) == [(2, "QDN-1042", "token")]


def test_number_and_token_of_jobs_made_here_are_not_touched(tmp_path):
    link = make_link(token="ours")
    done = take(tmp_path, {link.job.label: former(), "x": former(token="ours")})
    assert refused(done) == [(2, link.job.label, "id"), (10, "x", "token")]
    assert Job.objects.get() == link.job


def test_export_of_this_system_changes_nothing_here(tmp_path):
    link = make_link(token="ours")
    assert counts(take(tmp_path, {link.job.label: former(token="ours")})) == (0, 0, 1, 0)


def test_ids_and_tokens_count_once(tmp_path):
    text = json.dumps({"a": former()})[:-1] + ",\n" + json.dumps({"a": former(token="b")})[1:]
    done = take(tmp_path, text)
    assert [str(one) for one in done.refused] == [
        "Line 2, a: id is the id of line 1; expected one row for each id."
    ]
    done = take(tmp_path, {"a": former(), "b": former()})
    assert refused(done) == [(10, "b", "token")]


def test_dry_run_counts_the_same_and_writes_nothing(tmp_path):
    rows = {"QDN-9000": former(), "b": former(), "c": former(token="c", price="lots")}
    assert counts(take(tmp_path, rows, dry_run=True)) == (1, 0, 0, 2)
    assert not Job.objects.exists()
    assert last_number() == 1000


BROKEN = [
    ({"name": ""}, "name", "nothing"),
    ({"name": "x" * 121}, "name", "121 characters"),
    ({"name": ["Ann"]}, "name", "a list"),
    ({"name": "a\0b"}, "name", "a NUL character"),
    ({"name": "\ud800"}, "name", "bytes that are not UTF-8"),
    ({"address": None}, "address", "nothing"),
    ({"address": "x" * 121}, "address", "121 characters"),
    ({"address": f"1 Elm, {'x' * 81}, 99709"}, "address", "81 characters"),
    ({"price": "lots"}, "price", "lots"),
    ({"price": "600-400"}, "price", "600-400"),
    ({"price": 600}, "price", "a number"),
    ({"price": True}, "price", "true or false"),
    ({"status": "gone\n"}, "status", "gone"),
    ({"status": "on_site"}, "status", "on_site"),
    ({"service": "sofa"}, "service", "sofa"),
    ({"service": None}, "service", "nothing"),
    ({"phone": "555"}, "phone", "555"),
    ({"email": "nowhere"}, "email", "nowhere"),
    ({"email": f"{'x' * 250}@example.com"}, "email", "262 characters"),
    ({"token": ""}, "token", "nothing"),
    ({"token": "s3cret" * 30}, "token", "180 characters"),
    ({"token": "s3cret\0"}, "token", "a NUL character"),
    ({"token": {"s3cret": 1}}, "token", "an object"),
    ({"token": None, "token_sha256": "s3cret"}, "token_sha256", "6 characters"),
    ({"token_sha256": "0" * 64}, "token_sha256", "another digest"),
]


@pytest.mark.parametrize(("values", "field", "found"), BROKEN)
def test_broken_row_is_named_and_the_others_are_taken(tmp_path, values, field, found):
    done = take(tmp_path, {"a": former(token="a"), "b": former(**values), "c": former(token="c")})
    assert counts(done) == (2, 0, 0, 1)
    (refusal,) = done.refused
    assert (refusal.id, refusal.field, refusal.found) == ("b", field, found)
    assert refusal.expected
    assert "s3cret" not in str(refusal)


@pytest.mark.parametrize("row", [None, "text", 12, [former()]])
def test_row_that_is_not_an_object(tmp_path, row):
    assert refused(take(tmp_path, {"b": row})) == [(2, "b", "")]


@pytest.mark.parametrize("name", ["", "x" * 65, "QDN-999999999", "a\0b"])
def test_ids_that_cannot_be_kept(tmp_path, name):
    assert refused(take(tmp_path, {name: former()})) == [(2, name, "id")]
    assert last_number() == 1000


def test_broken_syntax_keeps_what_was_read(tmp_path):
    rows = {f"{n}": former(token=f"{n}") for n in range(5)}
    text = json.dumps(rows, indent=0)[:-30]
    done = take(tmp_path, text)
    assert (done.created, done.is_whole, len(done.refused)) == (4, False, 1)
    assert done.refused[0].line == text.count("\n") + 1
    assert take(tmp_path, rows).created == 1


def test_old_addresses_are_split_as_far_as_possible(tmp_path):
    texts = [
        "1 Elm Street\nFairbanks, AK 99709",
        "1 Elm Street, Apt 4, Fairbanks AK",
        "1 Elm Street",
    ]
    take(tmp_path, {f"{n}": former(address=one, token=one) for n, one in enumerate(texts)})
    jobs = Job.objects.order_by("number")
    assert [(job.address_line, job.unit, job.town, job.zip_code) for job in jobs] == [
        ("1 Elm Street", "", "Fairbanks", "99709"),
        ("1 Elm Street", "Apt 4", "Fairbanks", ""),
        ("1 Elm Street", "", "", ""),
    ]


def test_restored_from_the_sha256_alone(tmp_path):
    digest = make_link(token="s3cret").token_sha256
    TrackingLink.objects.all().delete()
    row = former(token=None, token_sha256=digest, updated_at="2026-11-20T10:00:00Z")
    done = take(tmp_path, {"QDN-1042": row})
    assert (counts(done), done.other_fields) == ((1, 0, 0, 0), set())
    assert find_link("s3cret").job.number == 1042
    assert TrackingLink.objects.get().token == ""
    assert counts(take(tmp_path, {"QDN-1042": former(token="s3cret")})) == (0, 1, 0, 0)
    assert TrackingLink.objects.get().token == "s3cret"
    assert counts(take(tmp_path, {"QDN-1042": row})) == (0, 0, 1, 0)


def test_fields_that_are_left_out_are_named(tmp_path):
    assert take(tmp_path, {"a": former(notes="gate 12")}).other_fields == {"notes"}


def test_queries_do_not_grow_with_the_batch(tmp_path, monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr(importing, "AT_ONCE", 500)
    rows = {f"QDN-{n}": former(token=f"{n}", phone=f"907-456-{n}") for n in range(2000, 2100)}
    with django_assert_max_num_queries(50):
        take(tmp_path, rows)
    with django_assert_max_num_queries(20):
        take(tmp_path, rows)


def test_booking_of_the_same_phone_at_the_same_time(tmp_path, monkeypatch):
    """The batch is planned again, and finds the customer."""
    saved, met = importing.save_batch, []

    def save(plan, *, actor):
        if not met:
            met.append(make_customer(phone="+19074560143"))
            raise importing.IntegrityError("phone")
        saved(plan, actor=actor)

    monkeypatch.setattr(importing, "save_batch", save)
    assert take(tmp_path, {"a": former(phone="907-456-0143")}).created == 1


def test_imported_jobs_stay_out_of_reminders_and_keep_their_number(tmp_path):
    take(tmp_path, {"QDN-1042": former()})
    assert not Job.objects.late(timezone.now()).exists()
    assert make_job().number == 1043


def test_report_gets_refusals_in_the_order_of_the_file(tmp_path):
    rows = {f"{n}": former(token="same") for n in range(8)}
    lines = []
    path = tmp_path / "former.json"
    path.write_text(json.dumps(rows, indent=0))
    import_jobs(
        path, tables=load_tables(), actor="pat", report=lambda one: lines.append(one.line)
    )  # fmt: skip
    assert lines == sorted(lines)
    assert len(lines) == 7
