"""Webhooks in GitHub's format start builds; forged and replayed ones do nothing."""

import hashlib
import hmac
import json
import logging
from datetime import timedelta
from pathlib import Path

import pytest
from django_q.models import OrmQ

from builds import tasks
from builds.models import Build, Delivery
from builds.secrets import known_secrets
from deployments.models import BranchPreview, RefusedRequest, Release
from tests.builds.origin import git

ADDRESS = "/api/builds/github/"
SECRET = "a secret that only GitHub knows"
SITE = "frost/site"


class GitHub:
    """Sends webhooks about a repository, signed as GitHub does."""

    def __init__(self, client):
        self.client, self.sent = client, 0

    def push(self, branch="main", *, repository=SITE, **options):
        self.sent += 1
        body = {
            "ref": f"refs/heads/{branch}",
            "after": f"{self.sent:040x}",
            "repository": {"full_name": repository, "clone_url": "file:///etc"},
            "pusher": {"name": "dana"},
        }
        return self.send(body, **options)

    def send(self, body, *, event="push", secret=SECRET, delivery=None, **headers):
        self.sent += 1
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        digest = hmac.new(secret.encode(), data, hashlib.sha256).hexdigest()
        sent = {
            "X-Hub-Signature-256": f"sha256={digest}",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": f"delivery-{self.sent}" if delivery is None else delivery,
        }
        return self.client.post(
            ADDRESS, data, content_type="application/json", headers={**sent, **headers}
        )


@pytest.fixture
def github(backend, client, settings, origin, tmp_path):
    settings.BUILD_WEBHOOK_SECRET = SECRET
    settings.BUILD_REPOSITORIES = {SITE: f"file://{origin.bare}", "frost/gone": "file:///nowhere"}
    settings.BUILD_MIRRORS_DIR = tmp_path / "repositories"
    return GitHub(client)


def done_so_far(settings):
    found = (Build.objects.count(), Release.objects.count(), Delivery.objects.count())
    return (*found, OrmQ.objects.count(), Path(settings.BUILD_MIRRORS_DIR).exists())


def work():
    """Run the tasks that wait, as the cluster of the queue does."""
    for queued in OrmQ.objects.filter(key="builds").order_by("pk"):
        assert queued.task["func"] == "builds.tasks.run_build"
        tasks.run_build(*queued.task["args"])
        queued.delete()


def test_push_is_built_and_goes_live(
    github, origin, staging, served, django_capture_on_commit_callbacks
):
    commit = origin.commit("A")
    with django_capture_on_commit_callbacks(execute=True):
        answer = github.push()
    build = Build.objects.get()
    assert answer.status_code == 202
    assert answer.json() == {"state": "waiting", "build": build.pk, "commit": commit}
    assert not answer.cookies
    work()
    build.refresh_from_db()
    assert (build.state, build.actor) == ("deployed", "dana (GitHub)")
    assert staging.live.release.commit == commit
    assert "<title>A</title>" in served()


def test_branch_gets_a_preview_until_it_is_deleted(
    github, origin, staging, served, django_capture_on_commit_callbacks
):
    origin.commit("A")
    origin.commit("B", branch="new-prices")
    with django_capture_on_commit_callbacks(execute=True):
        github.push("new-prices")
    work()
    assert "<title>B</title>" in served("new-prices.preview.localhost")
    git(origin.bare, "branch", "-D", "new-prices")
    assert github.push("new-prices").json() == {"state": "branch-deleted"}
    assert not BranchPreview.objects.exists()


def test_late_webhook_builds_the_last_commit_once(github, origin):
    origin.commit("A")
    last = origin.commit("B")
    first, second = github.push().json(), github.push().json()
    assert first["commit"] == last
    assert first == second
    assert Build.objects.count() == 1


def test_events_that_start_nothing(github, settings):
    pong = github.send({"zen": "Design for failure."}, event="ping")
    assert (pong.status_code, pong.json()) == (200, {"state": "pong"})
    for answer in (
        github.send({"action": "opened"}, event="issues"),
        github.send({"ref": "refs/tags/v1", "repository": {"full_name": SITE}}),
    ):
        assert (answer.status_code, answer.json()) == (202, {"state": "ignored"})
    assert done_so_far(settings) == (0, 0, 0, 0, False)


def test_waiting_build_whose_task_was_lost_is_found(github, origin, database_clock):
    origin.commit()
    github.push()
    tasks.resume()
    assert not OrmQ.objects.exists()  # its task is on its way
    database_clock.shift(timedelta(minutes=1))
    tasks.resume()
    work()
    assert Build.objects.get().state == "deployed"


def test_build_whose_task_was_killed(github, origin, database_clock):
    origin.commit()
    github.push()
    build = Build.objects.filter(pk=Build.objects.get().pk)
    build.update(host="elsewhere", pid=1)  # it waited for its turn
    tasks.resume()
    database_clock.shift(timedelta(minutes=1))
    tasks.resume()
    work()
    assert build.get().state == "deployed"
    build.update(state="building", ended_at=None, alive_at=None, host="elsewhere")
    tasks.resume()
    assert build.get().state == "interrupted"


def test_builds_of_hooks_are_left_to_their_process(pusher, origin, database_clock):
    pusher.push(origin.commit())
    Build.objects.update(state="waiting", host="", ended_at=None)
    database_clock.shift(timedelta(minutes=1))
    tasks.resume()
    assert not OrmQ.objects.exists()


# Refused


@pytest.mark.parametrize(
    "forged",
    [
        {"secret": "a guess"},
        {"X-Hub-Signature-256": ""},
        {"X-Hub-Signature-256": "sha256="},
        {"X-Hub-Signature-256": "sha1=0123"},
        {"X-Hub-Signature-256": "sha256=\u00e9"},
        {"event": "ping", "secret": "a guess"},
    ],
)
def test_forged_webhooks(github, origin, settings, caplog, forged):
    origin.commit()
    before = done_so_far(settings)
    with caplog.at_level(logging.WARNING):
        answer = github.push(**forged)
    assert (answer.status_code, answer.json()["code"]) == (401, "signature-invalid")
    assert "signature-invalid" in caplog.text
    assert RefusedRequest.objects.get().code == "signature-invalid"
    assert done_so_far(settings) == before


@pytest.mark.parametrize("change", [{"delivery": "another"}, {"body": "another"}])
def test_replayed_webhooks(github, origin, settings, caplog, change):
    origin.commit()
    body = {"ref": "refs/heads/main", "repository": {"full_name": SITE}}
    assert github.send(body, delivery="1").status_code == 202
    Build.objects.all().delete()
    before = done_so_far(settings)
    again = {**body, "more": 1} if "body" in change else body
    answer = github.send(again, delivery=change.get("delivery", "1"))
    assert (answer.status_code, answer.json()["code"]) == (422, "delivery-repeated")
    assert "delivery-repeated" in caplog.text
    assert RefusedRequest.objects.get().code == "delivery-repeated"
    assert done_so_far(settings) == before


def test_failed_delivery_can_be_sent_again_and_old_ones_are_forgotten(
    github, origin, settings, database_clock
):
    url, settings.BUILD_REPOSITORIES = settings.BUILD_REPOSITORIES, {SITE: "file:///nowhere"}
    origin.commit()
    assert github.push(delivery="1").json()["code"] == "fetch-failed"
    settings.BUILD_REPOSITORIES = url
    assert github.push(delivery="1").status_code == 202
    database_clock.shift(timedelta(days=91))
    assert github.push(delivery="2").status_code == 202
    assert [one.name for one in Delivery.objects.all()] == ["2"]


@pytest.mark.parametrize(
    ("body", "options", "status", "code"),
    [
        (b"{", {}, 422, "request-invalid"),
        (b"[]", {}, 422, "request-invalid"),
        (b"\xff", {}, 422, "request-invalid"),
        (b"[" * 100_000, {}, 422, "request-invalid"),
        ({"ref": 1, "repository": {"full_name": SITE}}, {}, 422, "request-invalid"),
        ({"ref": "refs/heads/\0", "repository": {"full_name": SITE}}, {}, 422, "request-invalid"),
        ({"ref": "refs/heads/main", "repository": SITE}, {}, 422, "request-invalid"),
        ({"ref": "refs/heads/main", "repository": {"full_name": SITE}},
         {"delivery": ""}, 422, "request-invalid"),
        ({"ref": "refs/heads/main", "repository": {"full_name": "mallory/site"}},
         {}, 422, "repository-not-set"),
        ({"ref": "refs/heads/main", "repository": {"full_name": "frost/gone"}},
         {}, 422, "fetch-failed"),
    ],
)  # fmt: skip
def test_requests_that_start_nothing(github, origin, body, options, status, code):
    origin.commit()
    answer = github.send(body, **options)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert set(answer.json()) == {"code", "message", "hint"}
    assert "nowhere" not in answer.content.decode()  # the URL may have a password
    assert (Build.objects.count(), Delivery.objects.count()) == (0, 0)


def test_fetch_that_never_ends(github, settings, tmp_path, caplog):
    settings.BUILD_FETCH_SECONDS = 0.2
    (tmp_path / "slow").write_text("#!/bin/sh\nexec sleep 600\n")
    (tmp_path / "slow").chmod(0o755)
    settings.BUILD_REPOSITORIES = {SITE: f"ext::{tmp_path / 'slow'}"}
    git(tmp_path, "init", "--quiet", "--bare", str(settings.BUILD_MIRRORS_DIR / f"{SITE}.git"))
    git(settings.BUILD_MIRRORS_DIR / f"{SITE}.git", "config", "protocol.ext.allow", "always")
    assert github.push().json()["code"] == "fetch-failed"
    assert "did not end within 0.2 seconds" in caplog.text


def test_other_content_types_and_methods(github, client):
    answer = client.post(ADDRESS, {"payload": "{}"})
    assert (answer.status_code, answer.json()["code"]) == (415, "request-type")
    answer = client.get(ADDRESS)
    assert (answer.status_code, answer["Allow"]) == (405, "POST")


def test_without_a_secret_there_is_no_address(github, client, settings):
    settings.BUILD_WEBHOOK_SECRET = ""
    assert github.push(secret="").status_code == 404
    assert client.get(ADDRESS).status_code == 404


def test_password_of_a_url_is_masked(settings):
    settings.BUILD_REPOSITORIES = {SITE: "https://x:hunter2hunter2@github.com/frost/site.git"}
    settings.BUILD_WEBHOOK_SECRET = SECRET
    assert {"hunter2hunter2", SECRET} <= known_secrets()
