"""The pages of an environment in the admin: what they show, and who may do what."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deployments.deploy.freezes import freeze
from deployments.locks.deploy_lock import deploy_lock
from deployments.models import (
    DeployLock,
    Deployment,
    Environment,
    Freeze,
    Maintenance,
    Operation,
    Outcome,
    Strategy,
)
from deployments.seeding import OPERATORS

KINDS = ("promote", "canary", "rollback")


def address(environment, name, *args):
    return reverse(f"admin:deployments_environment_{name}", args=[environment.pk, *args])


def text_of(client, environment, name="change", *args):
    answer = client.get(address(environment, name, *args))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


@pytest.fixture
def login(client, django_user_model, db):
    """Return a function that logs in a user with the given permissions."""

    def login(*codenames):
        user = django_user_model.objects.create_user("otto", password="x", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client.force_login(user)
        return client

    return login


def test_page_shows_the_live_release_and_the_actions(admin_client, two, production):
    page = text_of(admin_client, production)
    for shown in (str(two[0]), "olga", str(production.live.function), "localhost", "Promotion"):
        assert shown in page
    for button in ("Promote from staging", "Canary from staging", "Roll back", "Freeze"):
        assert button in page
    assert address(production, "metrics") in page
    assert address(production, "drift") in page
    assert "Unfreeze" not in page


def test_page_titles_differ(admin_client, two, production):
    operation = Operation.objects.create(environment=production, kind="promote", actor="ines")
    pages = [(name,) for name in ("change", "drift", "freeze", "unfreeze", "metrics")]
    pages += [("deploy", "promote"), ("deploy", "canary"), ("operation", operation.pk)]
    found = [text_of(admin_client, production, *one) for one in pages]
    titles = [re.search(r"<title>(.*?)</title>", page)[1].strip() for page in found]
    assert len(set(titles)) == len(titles)
    assert not [title for title in titles if title.startswith("|")], titles


def test_promoting_an_older_release_is_not_the_primary_action(
    admin_client, two, production, staging
):
    assert 'primary" href' in text_of(admin_client, production)
    page = text_of(admin_client, staging)
    assert "Promote from production" in page
    assert 'primary" href' not in page


def test_page_before_anything_is_live(admin_client, production):
    page = text_of(admin_client, production)
    assert "manage.py push --to production" in page
    assert "Promote" not in page
    assert "Nothing has been deployed here yet" in page
    assert "nothing is served" in text_of(admin_client, production, "drift")


def test_drift_of_an_environment_whose_history_is_lost(admin_client, backend, two, production):
    Outcome.objects.all()._raw_delete("default")
    assert "found.</p>" in text_of(admin_client, production, "drift")


def test_live_release_is_not_offered(admin_client, operator, two, production):
    operator.promote()
    page = text_of(admin_client, production)
    assert "Promote from" not in page
    assert "Roll back" in page


def test_canary(admin_client, operator, two, production):
    operator.canary(5)
    page = text_of(admin_client, production)
    for shown in ("Canary: 5% of viewers", "Promote the canary to all viewers", "End canary"):
        assert shown in page
    assert "Canary 5%" in page  # in the timeline
    assert "Promote from" not in page


def test_copies_have_no_canaries(admin_client, two, production):
    Environment.objects.filter(pk=production.pk).update(strategy=Strategy.COPY)
    page = text_of(admin_client, production)
    assert "Promote from staging" in page
    assert "Canary from" not in page


def test_rollback_target_is_shown(admin_client, operator, two, production):
    operator.promote()
    assert f"{two[0]}</a>" in text_of(admin_client, production).split("Rollback target")[1][:300]


def test_release_that_was_rolled_back_from_is_held_back(admin_client, operator, two, production):
    operator.promote()
    operator.rollback()
    page = text_of(admin_client, production)
    assert "was rolled back and cannot be promoted" in page
    assert f"unfreeze/?release={two[1]}" in page
    assert "Unfreeze production" not in page
    assert "Promote from" not in page
    operator.push("C")
    assert "Promote from staging" in text_of(admin_client, production)


def test_lock_names_its_holder(admin_client, two, production):
    with deploy_lock(environment=production, actor="olga@desk", reason="Promotion of B"):
        page = text_of(admin_client, production)
    assert "A deployment is in progress" in page
    assert "olga@desk since" in page


def test_lock_of_a_dead_process(admin_client, two, production):
    long_ago = timezone.now() - timedelta(hours=1)
    DeployLock.objects.create(
        environment=production,
        holder="olga@desk",
        reason="Promotion",
        host="elsewhere",
        pid=1,
        acquired_at=long_ago,
        expires_at=long_ago,
    )
    assert "Stale lock" in text_of(admin_client, production)


def test_maintenance(admin_client, two, production):
    Maintenance.objects.create(
        environment=production, on=True, message="Back at noon", actor="olga"
    )
    assert 'Message: <span class="dep-strong">Back at noon' in text_of(admin_client, production)
    Maintenance.objects.create(environment=production, on=False, actor="olga")
    assert "Back at noon" not in text_of(admin_client, production)


@pytest.mark.parametrize(
    ("result", "shown"),
    [("restored", "Failed, restored"), ("abandoned", "Interrupted"), (None, "Unfinished")],
)
def test_timeline_shows_how_deployments_ended(admin_client, two, production, result, shown):
    live = production.live
    failed = Deployment.objects.create(
        environment=production,
        release=two[1],
        function=live.function,
        kind="promote",
        actor="olga",
        reason="Prices",
    )
    if result:
        Outcome.objects.create(deployment=failed, result=result, detail="/ answered 500")
    page = text_of(admin_client, production)
    assert shown in page
    assert ("/ answered 500" in page) is bool(result)


def test_drift_comes_with_its_repair(admin_client, backend, two, production):
    backend.keyvalues.update(puts={}, deletes=["host:localhost"], if_match=backend.keyvalues.etag())
    page = text_of(admin_client, production, "drift")
    assert f"manage.py promote --release {two[0]} --to production --yes" in page


def test_no_drift(admin_client, two, production):
    page = admin_client.get(address(production, "drift"), {"part": ""}).content.decode()
    assert "Yes." in page
    assert page.lstrip().startswith("<div data-part")


def test_timeline_takes_no_more_queries_as_it_grows(
    admin_client, operator, two, production, django_assert_max_num_queries
):
    with django_assert_max_num_queries(30) as few:
        text_of(admin_client, production)
    for mark in "CDEFG":
        operator.push(mark)
        operator.promote()
    with django_assert_max_num_queries(len(few)):
        page = text_of(admin_client, production)
    assert page.count('<li class="success">') == 6


def test_timeline_ends_after_fifteen(admin_client, two, production):
    live = production.live
    for number in range(20):
        one = Deployment.objects.create(
            environment=production, release=two[0], function=live.function, kind="promote",
            actor=f"olga-{number}",
        )  # fmt: skip
        Outcome.objects.create(deployment=one, result="succeeded")
    page = text_of(admin_client, production)
    assert page.count('<li class="success">') == 15
    assert f"environment__id__exact={production.pk}" in page


def test_unknown_environment_is_not_found(admin_client, db):
    for name, args in (("change", []), ("drift", []), ("freeze", []), ("deploy", ["promote"])):
        there = reverse(f"admin:deployments_environment_{name}", args=[999, *args])
        assert admin_client.get(there).status_code == 404


# Freezing


def confirm(client, environment, name, *, seen=None, **data):
    """Confirm a page as it is now, or as it was `seen` before."""
    if seen is None:
        seen = client.get(address(environment, name)).context["seen"]
    return client.post(address(environment, name), {"seen": seen, **data})


def test_freeze_and_unfreeze(admin_client, two, production):
    until = timezone.localtime() + timedelta(days=1)
    data = {"reason": "Stock-taking", "until": f"{until:%Y-%m-%dT%H:%M}"}
    answer = admin_client.post(address(production, "freeze"), data)
    assert answer.headers["Location"] == address(production, "change")
    frozen = production.frozen
    assert (frozen.reason, frozen.actor) == ("Stock-taking", "admin (admin)")
    assert frozen.until == until.replace(second=0, microsecond=0)
    page = text_of(admin_client, production)
    assert "Stock-taking" in page
    assert "Promote from" not in page
    assert "Roll back" in page
    assert "Stock-taking" in text_of(admin_client, production, "unfreeze")
    confirm(admin_client, production, "unfreeze")
    assert production.frozen is None
    assert Freeze.objects.get().lifted_by == "admin (admin)"


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"reason": ""}, "reason"),
        ({"reason": "  "}, "reason"),
        ({"reason": "Monday", "until": "2020-01-01T00:00"}, "until"),
        ({"reason": "Monday", "until": "tomorrow"}, "until"),
        ({"reason": "For ever", "until": "9999-12-31T23:59"}, "until"),
    ],
)
def test_freeze_needs_a_reason_and_a_future_end(admin_client, production, data, field):
    answer = admin_client.post(address(production, "freeze"), data)
    assert (answer.status_code, set(answer.context["form"].errors)) == (422, {field})
    assert production.frozen is None


def test_opening_the_freeze_pages_changes_nothing(admin_client, production):
    freeze(environment=production, reason="Monday", actor="olga")
    assert "will replace it" in text_of(admin_client, production, "freeze")
    text_of(admin_client, production, "unfreeze")
    assert production.frozen.reason == "Monday"


def test_new_freeze_is_shown_before_it_is_lifted(admin_client, production):
    freeze(environment=production, reason="Stock-taking", actor="olga")
    seen = admin_client.get(address(production, "unfreeze")).context["seen"]
    freeze(environment=production, reason="Data is being lost", actor="oscar")
    answer = confirm(admin_client, production, "unfreeze", seen=seen)
    assert answer.status_code == 409
    assert "Nothing was done" in answer.content.decode()
    assert "Data is being lost" in answer.content.decode()
    assert production.frozen.actor == "oscar"
    confirm(admin_client, production, "unfreeze")
    assert production.frozen is None


def test_new_freeze_is_shown_before_it_is_replaced(admin_client, production):
    freeze(environment=production, reason="Data is being lost", actor="oscar")
    answer = confirm(admin_client, production, "freeze", seen="", reason="Monday")
    assert answer.status_code == 409
    assert "Data is being lost" in answer.content.decode()
    assert "Monday" in answer.content.decode()  # the reason need not be typed again
    assert production.frozen.actor == "oscar"


def test_unfreezing_twice_is_not_an_error(admin_client, production):
    freeze(environment=production, reason="Stock-taking", actor="olga")
    seen = admin_client.get(address(production, "unfreeze")).context["seen"]
    production.freezes.update(lifted_at=timezone.now())
    answer = confirm(admin_client, production, "unfreeze", seen=seen)
    assert answer.headers["Location"] == address(production, "change")


def lift(client, environment, release=""):
    """Confirm the page that lifts a freeze, or the guard on a release."""
    page = address(environment, "unfreeze") + (f"?release={release}" if release else "")
    seen = client.get(page).context["seen"]
    return client.post(page, {"seen": seen})


def test_freeze_and_guard_are_lifted_separately(admin_client, operator, two, production):
    operator.promote()
    operator.rollback()
    freeze(environment=production, reason="Stock-taking", actor="olga")
    lift(admin_client, production)
    assert production.freezes.in_force().get().release == two[1]
    freeze(environment=production, reason="Stock-taking", actor="olga")
    lift(admin_client, production, two[1])
    assert production.freezes.in_force().get() == production.frozen


@pytest.mark.parametrize("release", ["20200101-000000-00000000", "x" * 200])
def test_guard_that_does_not_exist(admin_client, two, production, release):
    freeze(environment=production, reason="Stock-taking", actor="olga")
    assert lift(admin_client, production, release).status_code == 302
    assert production.frozen


def test_field_is_described_by_its_error(admin_client, production):
    page = confirm(admin_client, production, "freeze", reason="").content.decode()
    described = re.search(r'aria-describedby="([^"]+)"', page)[1].split()
    assert len(described) == 2
    assert all(f'id="{name}"' in page for name in described)


# Who may do what


def statuses(client, environment):
    """Open and confirm every page that changes something."""
    pages = [address(environment, "deploy", kind) for kind in KINDS]
    pages += [address(environment, name) for name in ("freeze", "unfreeze")]
    return {client.get(page).status_code for page in pages} | {
        client.post(page, {"reason": "x", "seen": "x"}).status_code for page in pages
    }


@pytest.mark.parametrize(
    ("codenames", "to_staging", "to_production"),
    [
        (["view_environment"], False, False),
        (["view_environment", "deploy_to_staging"], True, False),
        (["view_environment", "deploy_to_production"], False, True),
        (["view_environment", "deploy_to_staging", "deploy_to_production"], True, True),
        (["deploy_to_staging", "deploy_to_production"], False, False),
        (["view_job", "change_job", "view_release", "change_environment"], False, False),
    ],
)
def test_deploying_needs_the_permission_for_the_environment(
    login, two, staging, production, codenames, to_staging, to_production
):
    client = login(*codenames)
    for environment, may in ((staging, to_staging), (production, to_production)):
        assert (403 not in statuses(client, environment)) is may
        assert Freeze.objects.filter(environment=environment).exists() is may
        page = client.get(address(environment, "change"))
        if "view_environment" in codenames:
            assert ("Deployment actions" in page.content.decode()) is may
    assert not Operation.objects.exists()


def test_viewing_shows_steps_and_no_buttons(login, two, production):
    operation = Operation.objects.create(environment=production, kind="promote", actor="ines")
    client = login("view_environment")
    for name in ("operation", "steps"):
        assert client.get(address(production, name, operation.pk)).status_code == 200
    assert "Promote from" not in text_of(client, production)


@pytest.mark.parametrize("codenames", [[], ["view_release"], ["deploy_to_production"]])
def test_pages_need_the_permission_to_view(login, two, production, codenames):
    operation = Operation.objects.create(environment=production, kind="promote", actor="ines")
    client = login(*codenames)
    pages = [address(production, name) for name in ("change", "drift")]
    pages += [address(production, name, operation.pk) for name in ("operation", "steps")]
    assert {client.get(page).status_code for page in pages} == {403}


def test_pages_require_a_login(client, two, production):
    assert statuses(client, production) == {302}
    assert production.frozen is None


def test_another_sites_form_is_refused(admin_user, two, production):
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    answer = client.post(address(production, "freeze"), {"reason": "x"})
    assert (answer.status_code, production.frozen) == (403, None)


def test_operators_may_deploy_and_nothing_else(client, django_user_model, two, production):
    user = django_user_model.objects.create_user("ines", password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=OPERATORS))
    client.force_login(user)
    assert "Promote from staging" in text_of(client, production)
    names = {permission.split(".")[0] for permission in user.get_all_permissions()}
    assert names == {"deployments"}


def test_environment_without_hosts_is_drift_with_its_repair(admin_client, two, production):
    Environment.objects.filter(pk=production.pk).update(hosts=[])
    assert "production" in text_of(admin_client, production)
    page = text_of(admin_client, production, "drift")
    assert "manage.py provision --environment production" in page
