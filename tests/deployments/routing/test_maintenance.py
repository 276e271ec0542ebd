"""Maintenance: what viewers see, what does not change, and refusals."""

import dataclasses
from datetime import timedelta

import pytest

from deployments.errors import ChangedMeanwhile, Refused
from deployments.locks.deploy_lock import deploy_lock
from deployments.models import Maintenance, Release, Strategy
from deployments.routing import previews
from deployments.routing.maintenance import plan_maintenance, set_maintenance
from deployments.routing.routes import read_route, route_to, write_route
from deployments.verification.reports import status_rows
from deployments.verification.verify import verify
from edge.routing import Canary, RoutingDocument
from tests.deployments.doubles import Counting

SALT = "5f0c9a1e"


@pytest.fixture
def switch(backend, production):
    """Start or end production's maintenance. Return whether anything changed."""

    def switch(on, message=None, *, environment=production, backend=backend, **more):
        plan = plan_maintenance(backend, environment, on=on, message=message)
        return set_maintenance(backend, plan, actor="olga", say=lambda line: None, **more)

    return switch


@pytest.fixture
def document(backend, production):
    return lambda: read_route(backend.keyvalues, production).document


@pytest.fixture
def status(backend):
    """Return production's row of `status`."""
    return lambda: next(r for r in status_rows(backend) if r["environment"] == "production")


@pytest.fixture
def live(operator):
    release = operator.push("A")
    operator.promote()
    return release


def page(operator, path="/", cookie="", host="localhost"):
    return operator.backend.viewer.fetch(host, path, cookie=cookie)


def rows():
    return [
        (row.on, row.message, row.actor, row.reason) for row in Maintenance.objects.order_by("pk")
    ]


def code_of(call, *args, **kwargs):
    with pytest.raises(Refused) as caught:
        call(*args, **kwargs)
    assert caught.value.hint
    return caught.value.code


def test_pages_answer_with_the_message_until_maintenance_ends(live, switch, operator):
    assert switch(True, "Back at 6 <pm>", reason="Database")
    down = page(operator)
    assert (down.status, down.headers["retry-after"]) == (503, "120")
    assert down.headers["cache-control"] == "no-store"
    assert b"Back at 6 &#60;pm&#62;" in down.body
    assert page(operator, host="staging.localhost").status == 200
    assert switch(False)
    assert operator.served() == live.name
    assert rows() == [(True, "Back at 6 <pm>", "olga", "Database"), (False, "", "olga", "")]


def test_releases_and_canary_do_not_change(live, switch, document, backend, production):
    seen = read_route(backend.keyvalues, production)
    canary = Canary("20260101-000000-00000000", 5, SALT)
    before = dataclasses.replace(seen.document, canary=canary, previous="20251231-000000-00000000")
    wanted = route_to(production, before)
    write_route(backend.keyvalues, production, seen=seen, wanted=wanted)
    switch(True, "Soon")
    assert document() == dataclasses.replace(before, maintenance=True, message="Soon")
    switch(False)
    assert document() == before


def test_one_update_of_the_store(live, switch, replaced, backend):
    store = Counting(backend.keyvalues)
    switch(True, backend=replaced(keyvalues=store))
    assert store.calls["update"] == 1


def test_repeats_do_nothing(live, switch, backend):
    assert not switch(False)
    assert switch(True, "Soon")
    etag = backend.keyvalues.etag()
    assert not switch(True, "Soon")
    assert not switch(True)
    assert backend.keyvalues.etag() == etag
    assert len(rows()) == 1


def test_message_changes_and_is_removed(live, switch, document):
    switch(True, "Soon")
    assert switch(True, " Very\n soon ")
    assert document().message == "Very soon"
    assert switch(True, "")
    assert document().message == ""
    assert [row[:2] for row in rows()] == [(True, "Soon"), (True, "Very soon"), (True, "")]


def test_repeat_completes_the_history(live, switch, backend, production):
    """As after a kill between writing the routing documents and the row."""
    seen = read_route(backend.keyvalues, production)
    wanted = route_to(production, dataclasses.replace(seen.document, maintenance=True))
    write_route(backend.keyvalues, production, seen=seen, wanted=wanted)
    assert switch(True)
    assert rows() == [(True, "", "olga", "")]
    assert not switch(True)


def test_previews_work_during_maintenance(live, switch, operator, backend, production):
    candidate = operator.push("B")
    switch(True)
    signed = previews.ticket(
        backend.keyvalues, production, candidate, lifetime=timedelta(minutes=5)
    )
    seen = page(operator, cookie=previews.cookie(signed))
    assert (seen.status, seen.headers["x-amz-meta-release"]) == (200, candidate.name)
    link = page(operator, f"/book/?release={signed}")
    assert (link.status, link.headers["location"]) == (302, "/book/")
    out = page(operator, "/book/?release=live", cookie=previews.cookie(signed))
    assert (out.status, out.headers["location"]) == (302, "/book/")


def test_deployment_keeps_maintenance_and_message(live, switch, operator, document):
    switch(True, "Soon")
    other = operator.push("B")
    operator.promote()
    assert document() == RoutingDocument(
        "production", other.name, live.name, maintenance=True, message="Soon"
    )
    operator.rollback()
    assert (document().release, document().message) == (live.name, "Soon")
    assert page(operator).status == 503
    switch(False)
    assert operator.served() == live.name


def test_status_shows_maintenance_and_no_drift(live, switch, status):
    assert status()["maintenance"] is None
    switch(True, "Soon", reason="Database")
    row = status()
    assert row["drift"] == []
    shown = row["maintenance"]
    assert (shown["message"], shown["reason"], shown["actor"]) == ("Soon", "Database", "olga")
    switch(False)
    assert status()["maintenance"] is None


@pytest.mark.parametrize("on", [True, False])
def test_edge_that_disagrees_with_the_history_is_drift(
    on, live, switch, status, backend, production
):
    if on:
        switch(True)
    seen = read_route(backend.keyvalues, production)
    other = route_to(production, dataclasses.replace(seen.document, maintenance=not on))
    write_route(backend.keyvalues, production, seen=seen, wanted=other)
    state = "on" if on else "off"
    drift = verify(backend, production)["drift"]
    assert [one["command"] for one in drift if one["code"] == "maintenance"] == [
        f"manage.py maintenance {state} --environment production --yes"
    ]
    assert any(f"history says {state}" in line for line in status()["drift"])
    assert switch(on)
    assert status()["drift"] == []


def test_site_is_announced_before_its_first_release(
    switch, operator, document, backend, production
):
    switch(True, "We open on Monday.")
    assert b"We open on Monday." in page(operator).body
    assert document() == RoutingDocument(
        "production", "", maintenance=True, message="We open on Monday."
    )
    release = operator.push("A")
    link = previews.preview(backend, production, release, lifetime=timedelta(hours=1))
    signed = link.url.partition("release=")[2]
    assert page(operator, cookie=previews.cookie(signed)).status == 200
    operator.promote()
    assert page(operator).status == 503
    switch(False)
    assert operator.served() == release.name


def test_withdrawn_announcement_leaves_no_document(switch, backend, document):
    switch(True, "We open on Monday.")
    switch(False)
    assert document() is None
    assert set(backend.keyvalues.items()) == {"preview"}


def test_lost_document_is_restored_from_the_history(live, switch, backend, production):
    store = backend.keyvalues
    store.update(
        puts={"host:localhost": "{broken"}, deletes=["env:production"], if_match=store.etag()
    )
    switch(True)
    route = read_route(store, production)
    assert {route.document_of(key).release for key in route.values} == {live.name}
    assert all(route.document_of(key).maintenance for key in route.values)


def test_repair_of_a_lost_document_keeps_the_message(live, switch, backend, production, status):
    switch(True, "Back at 6 pm")
    keys = list(read_route(backend.keyvalues, production).values)
    store = backend.keyvalues
    store.update(puts={}, deletes=keys, if_match=store.etag())
    (repair,) = {text for text in status()["drift"] if "maintenance on" in text}
    assert "--message" not in repair
    switch(True)
    route = read_route(store, production)
    assert {route.document_of(key).message for key in keys} == {"Back at 6 pm"}
    assert len(rows()) == 1


@pytest.mark.parametrize("lost", ["env:production", "host:localhost"])
def test_deployment_over_a_lost_document_does_not_end_maintenance(
    live, switch, backend, operator, lost
):
    switch(True, "Back at 6 pm")
    store = backend.keyvalues
    store.update(puts={}, deletes=[lost], if_match=store.etag())
    operator.push("B")
    operator.promote()
    down = page(operator)
    assert (down.status, b"Back at 6 pm" in down.body) == (503, True)


def test_lock_of_another_operator_is_respected(live, switch, production):
    with (
        deploy_lock(environment=production, actor="sam", reason="Promotion"),
        pytest.raises(ChangedMeanwhile),
    ):
        switch(True)
    assert rows() == []


def test_deployment_since_the_plan_is_kept(live, backend, production, operator):
    """The plan is made again under the lock."""
    plan = plan_maintenance(backend, production, on=True)
    other = operator.push("B")
    operator.promote()
    set_maintenance(backend, plan, actor="olga", say=lambda line: None)
    assert read_route(backend.keyvalues, production).document.release == other.name


# Refusals


def test_environment_deployed_by_copy_is_refused(live, backend, production):
    production.strategy = Strategy.COPY
    assert code_of(plan_maintenance, backend, production, on=True) == "no-function"


@pytest.mark.parametrize(
    ("message", "code"),
    [("x" * 301, "message-too-long"), ("\u2603" * 300, "message-too-long"),
     ("a\x00b", "message-odd")],
)  # fmt: skip
def test_invalid_messages_are_refused(message, code, live, backend, production):
    found = code_of(plan_maintenance, backend, production, on=True, message=message)
    assert found == code


def test_message_without_maintenance_is_refused(live, backend, production):
    code = code_of(plan_maintenance, backend, production, on=False, message="Hello")
    assert code == "message-for-nobody"


def test_longest_message_leaves_room_for_a_deployment_and_a_canary(
    live, switch, operator, backend, production
):
    """With a host name of 63 letters, a canary still fits."""
    production.hosts = ["www." + "a" * 59, *production.hosts]
    production.save()
    operator.promote()
    switch(True, "x" * 300)
    seen = read_route(backend.keyvalues, production)
    canary = Canary(Release.objects.first().name, 100, SALT)
    document = dataclasses.replace(seen.document, canary=canary, previous=live.name)
    write_route(backend.keyvalues, production, seen=seen, wanted=route_to(production, document))
