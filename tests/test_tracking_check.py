"""`verify --tracking`, the check after a promotion, and where its results are shown."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from deployments.models import Environment, Strategy
from dispatch.models import Job
from dispatch.probes import make_probe
from edge.access import password_digest
from edge.backends import get_backend
from edge.backends.local.rows import RowKeyValueStore
from edge.errors import BackendUnavailable
from qdn import tracking_check
from qdn.models import Heartbeat
from qdn.readiness import PARTS, Reading
from qdn.tracking_check import check_hourly
from tests.deployments.sites import write_site
from tracking import checking
from tracking.models import TrackingCheck
from tracking.publishing import publish_behind

pytestmark = pytest.mark.django_db
KEYS = ["environment", "at", "write_ms", "publish_ms", "edge_ms", "problem"]


@pytest.fixture(autouse=True)
def no_patience(settings):
    settings.EDGE_PROBE_SECONDS = 0


@pytest.fixture
def site(tmp_path):
    """A release in staging."""
    call_command("push", source=write_site(tmp_path / "A", mark="A"), stdout=StringIO())
    return "A"


@pytest.fixture
def promoted(site):
    """A release in production, which nothing has checked."""
    call_command("promote", yes=True, no_tracking_check=True, stdout=StringIO())


@pytest.fixture
def cluster(monkeypatch):
    """A task cluster that beats, and publishes while the check waits."""
    now = timezone.now()
    Heartbeat.objects.update_or_create(
        queue="publishing", defaults={"watched_at": now, "beat_at": now}
    )
    publishes = lambda seconds: publish_behind(objects=get_backend().objects)  # noqa: E731
    monkeypatch.setattr(checking, "sleep", publishes)


def verify(**options):
    out = StringIO()
    call_command("verify", tracking=True, json=True, stdout=out, **options)
    return json.loads(out.getvalue())


def failed(**options):
    with pytest.raises(CommandError) as ended:
        call_command("verify", tracking=True, stdout=StringIO(), **options)
    return ended.value.returncode, str(ended.value)


def promote(**options):
    out, err = StringIO(), StringIO()
    call_command("promote", yes=True, stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


def protect(access):
    production = Environment.objects.get(name="production")
    production.access, production.password = access, password_digest("ines", "long enough")
    production.save()
    call_command("environment", "set", "production", yes=True, stdout=StringIO())


def make_check(**values):
    return TrackingCheck.objects.create(**{"environment": "production", **values})


# verify --tracking


def test_change_is_followed_to_production(promoted, cluster):
    found = verify()
    assert list(found) == KEYS
    assert (found["environment"], found["problem"]) == ("production", "")
    assert None not in found.values()
    assert not Job.with_probes.exists()
    assert not list(get_backend().objects.list("jobs/"))


def test_delays_are_shown_in_a_table(promoted, cluster):
    out = StringIO()
    call_command("verify", tracking=True, stdout=out)
    assert "publish" in out.getvalue()
    assert out.getvalue().count(" ms") == 4


def test_another_environment(site, cluster):
    assert verify(environment="staging")["environment"] == "staging"


def test_without_a_cluster_it_says_so_at_once(promoted):
    code, message = failed()
    assert code == 1
    assert "No change is published: manage.py work is not running." in message
    assert "Start it and keep it running: manage.py work" in message
    assert TrackingCheck.objects.get().problem == message


def test_cluster_that_does_not_publish(promoted, cluster, monkeypatch):
    monkeypatch.setattr(checking, "sleep", lambda seconds: None)
    monkeypatch.setattr(checking, "monotonic", iter(range(0, 10_000, 10)).__next__)
    code, message = failed()
    assert code == 1
    assert "not published in time" in message
    assert "manage.py doctor" in message


def test_json_of_a_failed_check(promoted):
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("verify", tracking=True, json=True, stdout=out)
    found = json.loads(out.getvalue())
    assert found["publish_ms"] is None
    assert "manage.py work" in found["problem"]


def test_second_check_at_once_exits_with_3(promoted, cluster):
    make_probe()
    code, message = failed()
    assert (code, "in progress" in message) == (3, True)


def test_nothing_is_live(site, cluster):
    assert failed()[0] == 1
    assert "production serves nothing" in failed()[1]


def test_unknown_environment(promoted):
    assert "No environment is called 'moon'" in failed(environment="moon")[1]


def test_by_copy_there_is_no_function(promoted, cluster):
    Environment.objects.filter(name="production").update(strategy=Strategy.COPY)
    assert "deployed by copy" in failed()[1]


def test_site_without_tracking_pages(tmp_path, cluster):
    (tmp_path / "own").mkdir()
    (tmp_path / "own/index.html").write_text("<!doctype html>")
    call_command("push", source=tmp_path / "own", to="production", yes=True, stdout=StringIO())
    assert "serves no tracking pages" in failed()[1]
    assert check_hourly() is None


@pytest.mark.parametrize("access", ["password", "previews"])
def test_protected_environment_is_asked_with_a_preview(promoted, cluster, access):
    protect(access)
    assert get_backend().viewer.fetch("localhost", "/track/x").status == 401
    assert verify()["problem"] == ""


def test_maintenance_hides_pages_but_not_from_the_check(promoted, cluster):
    call_command("maintenance", "on", environment="production", yes=True, stdout=StringIO())
    assert verify()["problem"] == ""


# After a promotion


def test_promotion_checks_afterwards(site, cluster):
    out, err = promote()
    assert err == ""
    checked, summary = out.strip().splitlines()[-2:]
    assert checked.startswith("Check the tracking pages: a change reached its tracking page after")
    assert summary.startswith("production serves")
    assert TrackingCheck.objects.get().environment == "production"


def test_failed_check_is_a_warning_because_the_switch_is_final(site):
    _, err = promote()
    assert err.startswith(
        "production serves the release, but changes do not reach the tracking pages. No change is"
    )
    assert "manage.py work" in err
    assert Environment.objects.get(name="production").live


def test_json_of_a_promotion_has_the_check(site, cluster):
    out, _ = promote(json=True)
    assert list(json.loads(out)["tracking_check"]) == KEYS


def test_promotion_of_one_surface_checks_too(promoted, cluster, tmp_path):
    call_command("push", source=write_site(tmp_path / "B", mark="B"), stdout=StringIO())
    assert json.loads(promote(only=["track"], json=True)[0])["tracking_check"]["problem"] == ""


@pytest.mark.parametrize("how", ["option", "setting", "dry run", "nothing to do"])
def test_promotion_without_a_check(site, cluster, settings, how):
    settings.TRACKING_CHECKS = how != "setting"
    if how == "nothing to do":
        promote(no_tracking_check=True)
    out, err = promote(no_tracking_check=how == "option", dry_run=how == "dry run", json=True)
    assert "tracking_check" not in json.loads(out)
    assert err == ""
    assert not TrackingCheck.objects.exists()


def test_check_in_progress_does_not_fail_a_promotion(site, cluster):
    make_probe()
    assert promote()[1] == ""
    assert not TrackingCheck.objects.exists()


# Every hour


def test_hourly_check(promoted, cluster):
    assert check_hourly()["problem"] == ""


def test_hourly_check_waits_for_the_first_release(cluster):
    assert check_hourly() is None
    assert not TrackingCheck.objects.exists()


def test_hourly_check_can_be_turned_off(promoted, cluster, settings):
    settings.TRACKING_CHECKS = False
    assert check_hourly() is None


def test_back_end_that_does_not_answer_is_a_problem(promoted, cluster, monkeypatch):
    def down(store, key):
        raise BackendUnavailable("down")

    protect("password")
    monkeypatch.setattr(RowKeyValueStore, "get", down)
    assert "The back end does not answer" in check_hourly()["problem"]


# Where the results are shown


def test_status_has_the_last_check_of_each_environment(promoted):
    make_check(environment="staging", problem="Old. Run: manage.py doctor")
    make_check(problem="Old. Run: manage.py doctor")
    make_check(write_ms=12, publish_ms=800, edge_ms=1200)
    out = StringIO()
    call_command("status", json=True, stdout=out)
    staging, production = json.loads(out.getvalue())
    assert staging["tracking_check"]["problem"].startswith("Old")
    assert production["tracking_check"]["edge_ms"] == 1200
    out = StringIO()
    call_command("status", stdout=out)
    assert "2,012 ms" in " ".join(out.getvalue().split())


def test_status_before_any_check(promoted):
    out = StringIO()
    call_command("status", json=True, stdout=out)
    assert json.loads(out.getvalue())[1]["tracking_check"] is None


def test_readiness_has_age_and_delay_of_productions():
    read = {part.name: part.read for part in PARTS}["tracking"]
    assert read() == Reading(True, {"age_seconds": None, "delay_ms": None})
    make_check(write_ms=1, publish_ms=2, edge_ms=3)
    make_check(environment="staging", problem="No.")
    assert read() == Reading(True, {"age_seconds": 0, "delay_ms": 6})
    make_check(problem="No.")
    assert read() == Reading(False, {"age_seconds": 0, "delay_ms": None})


def test_metrics_have_the_delay(promoted):
    for delay, problem in ((900, ""), (100, ""), (None, "No.")):
        make_check(write_ms=0, publish_ms=0, edge_ms=delay, problem=problem)
    out = StringIO()
    call_command("metrics", json=True, stdout=out)
    (row,) = json.loads(out.getvalue())
    assert (row["environment"], row["kind"]) == ("production", "tracking")
    assert row["totals"] == {"delay": 500.0, "failed_checks": 1.0}
    assert max(value for value in row["series"]["delay"] if value) == 900


def test_metrics_leave_old_checks_out(promoted):
    TrackingCheck.objects.filter(pk=make_check().pk).update(at=timezone.now() - timedelta(days=2))
    out = StringIO()
    call_command("metrics", json=True, stdout=out)
    assert json.loads(out.getvalue()) == []


@pytest.fixture
def operator(client):
    user = User.objects.create_user("olga", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_environment"))
    client.force_login(user)
    return client


def test_admin_has_a_chart_of_the_delay(operator):
    make_check(write_ms=0, publish_ms=0, edge_ms=900)
    production = Environment.objects.get(name="production")
    address = reverse("admin:deployments_environment_metrics", args=[production.pk])
    page = operator.get(address).content.decode()
    assert "A change reaches the page after" in page
    assert "900 ms" in page


def test_admin_lists_checks(operator):
    make_check(write_ms=1, publish_ms=2, edge_ms=1003)
    make_check(problem="No change is published.")
    page = operator.get(reverse("admin:tracking_trackingcheck_changelist")).content.decode()
    assert "1,003 ms" in page
    assert "1,006 ms" in page
    assert "No change is published." in page


def test_admin_changes_no_check(operator):
    check = make_check()
    for name, args in (("add", []), ("delete", [check.pk])):
        address = reverse(f"admin:tracking_trackingcheck_{name}", args=args)
        assert operator.post(address, {"post": "yes"}).status_code == 403
    assert tracking_check.last_checks() == {"production": check}
