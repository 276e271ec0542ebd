"""Registries as they are written: the former form for the operator, the private one for a loss."""

import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispatch.models import Job
from edge.backends import get_backend
from tests.builders import make_customer, make_job, make_price
from tests.tracking.builders import make_link
from tests.tracking.registry.builders import CLOSED_TOKENS, ODD_TOKENS, counts, former, take
from tracking import tasks
from tracking.links import find_link, hash_token
from tracking.models import MAX_TOKEN_LENGTH, TrackingLink
from tracking.registry import exporting
from tracking.registry.exporting import export_jobs
from tracking.registry.writing import KEY, stored_registry, write_registry

pytestmark = pytest.mark.django_db
TOKENS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    min_size=1, max_size=MAX_TOKEN_LENGTH,
)  # fmt: skip


def exported():
    file = io.StringIO()
    done = export_jobs(file)
    return json.loads(file.getvalue()), done


def registry():
    return json.loads(get_backend().objects.get(KEY).body)


def forget_everything():
    TrackingLink.objects.all().delete()
    for model in ("dispatch_price", "dispatch_jobevent", "dispatch_job"):
        from django.db import connection  # noqa: PLC0415

        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {model}")


def test_former_form():
    customer = make_customer(name="Mark Ames", email="m@example.com", phone="+19074560143")
    job = make_job(customer=customer)
    make_price(job)
    make_link(job=job, token="a b")
    make_link(revoked=True)
    make_link(job=make_job(is_probe=True))
    assert exported()[0] == {
        job.label: {
            "name": "Mark Ames", "address": "1423 Soderblom Avenue, Fairbanks, 99709",
            "service": "junk", "price": "600 all-in", "status": "requested", "token": "a b",
            "phone": "+19074560143", "email": "m@example.com",
        }
    }  # fmt: skip


def test_token_that_is_not_known_is_exported_by_its_digest():
    link = make_link(token="")
    rows, done = exported()
    assert rows[link.job.label]["token_sha256"] == link.token_sha256
    assert "token" not in rows[link.job.label]
    assert (done.jobs, done.without_token) == (1, 1)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tokens=st.lists(TOKENS, unique=True, max_size=6))
def test_round_trip_is_equal(tmp_path, tokens):
    forget_everything()
    rows = {f"job {n}": former(token=token) for n, token in enumerate(tokens)}
    take(tmp_path, rows)
    first, _ = exported()
    assert [row["token"] for row in first.values()] == tokens
    assert counts(take(tmp_path, first)) == (0, 0, len(tokens), 0)
    forget_everything()
    assert counts(take(tmp_path, first)) == (len(tokens), 0, 0, 0)
    assert exported()[0] == first


@pytest.mark.parametrize("price", ["", "250 all-in", "1,250.50 estimate", "400 to 600"])
@pytest.mark.parametrize("phone", [None, "+19074560143"])
def test_round_trip_of_every_field(tmp_path, price, phone):
    row = former(
        price=price, phone=phone, status="cancelled", service="cleanout",
        address="1 Elm Street, Apt 4, North Pole, 99705",
    )  # fmt: skip
    take(tmp_path, {"x": row})
    assert exported()[0] == {"x": row}


def test_registry_has_no_token(tmp_path):
    tokens = [*ODD_TOKENS, *CLOSED_TOKENS]
    take(tmp_path, {f"{n}": former(token=token) for n, token in enumerate(tokens)})
    assert tasks.write_registry() == len(tokens)
    stored = get_backend().objects.get(KEY)
    assert (stored.info.content_type, stored.info.cache_control) == ("application/json", "no-store")
    texts = {text for row in registry().values() for text in row.values()}
    assert not texts & set(tokens)
    assert {row["token_sha256"] for row in registry().values()} == set(map(hash_token, tokens))


def test_registry_row():
    link = make_link(job=make_job(customer=make_customer(phone=None), number=1042))
    make_link(revoked=True)
    make_link(job=make_job(is_probe=True))
    write_registry(get_backend().objects)
    row = registry()["QDN-1042"]
    assert registry().keys() == {"QDN-1042"}
    assert row.pop("updated_at").endswith("Z")
    assert row == {
        "name": "Dana Rivers", "phone": "", "email": "", "price": "", "status": "requested",
        "address": "1423 Soderblom Avenue, Fairbanks, 99709", "service": "junk",
        "token_sha256": link.token_sha256,
    }  # fmt: skip


def test_rows_are_read_in_batches_in_the_order_of_numbers(monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(exporting, "AT_ONCE", 3)
    for number in (1205, 1201, 1207, 1203, 1206, 1202, 1204):
        make_link(job=make_job(number=number))
    with django_assert_num_queries(7):  # four batches, prices with each but the empty one
        write_registry(get_backend().objects)
    assert list(registry()) == [f"QDN-{number}" for number in range(1201, 1208)]


def test_empty_registry():
    assert write_registry(get_backend().objects) == 0
    assert registry() == {}
    assert exported()[0] == {}


def test_dry_run_writes_no_registry():
    make_link()
    assert write_registry(get_backend().objects, dry_run=True) == 1
    assert get_backend().objects.head(KEY) is None


def test_database_restored_from_the_registry_serves_every_link(tmp_path):
    tokens = [*ODD_TOKENS, "plain"]
    take(tmp_path, {f"QDN-{2000 + n}": former(token=token) for n, token in enumerate(tokens)})
    objects = get_backend().objects
    write_registry(objects)
    before = registry()
    forget_everything()
    with stored_registry(objects) as path:
        assert take(tmp_path, path.read_text(encoding="utf-8")).created == len(tokens)
    assert [find_link(token).job.number for token in tokens] == [
        job.number for job in Job.objects.order_by("number")
    ]
    write_registry(objects)
    after = registry()
    for row in [*before.values(), *after.values()]:
        del row["updated_at"]
    assert after == before
