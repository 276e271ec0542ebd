"""The deployment API: archives pushed with a token; other tokens are refused and logged."""

import io
import json
import logging
import zipfile
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from deployments import tasks
from deployments.api.token_text import make_token
from deployments.api.tokens import issue, revoke
from deployments.errors import Refused
from deployments.models import ApiToken, Deployment, Environment, Operation, RefusedRequest
from deployments.operations import uploads
from tests.deployments.desks import lines, run_tasks
from tests.deployments.sites import PAGES

pytestmark = pytest.mark.django_db
ADDRESS = "/api/deployments/"
ZIP = "application/zip"
NOTHING = {"operations": 0, "deployments": 0, "objects": []}
A_DAY = timedelta(days=1)


def archive(mark="A"):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as output:
        for path in PAGES:
            output.writestr(path, f"<!doctype html><title>{mark}</title>{path}")
    return content.getvalue()


class Ci:
    """A client that sends requests with a token."""

    def __init__(self, client, token=""):
        self.client = client
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def post(self, body, content_type="application/json", query=None):
        if content_type == "application/json":
            body = json.dumps(body)
        return self.client.post(
            ADDRESS,
            body,
            content_type=content_type,
            query_params={"action": "push", "environment": "staging", **(query or {})}
            if content_type == ZIP
            else None,
            headers=self.headers,
        )

    def push(self, mark="A", **query):
        return self.post(archive(mark), ZIP, query)

    def state(self, url):
        return self.client.get(url, headers=self.headers)

    def done(self, answer):
        """Run the task of an accepted request, and return how it ended."""
        assert answer.status_code == 202, answer.content
        run_tasks()
        return self.state(answer.json()["url"]).json()


@pytest.fixture
def token(db):
    """Return a function that makes a token; the defaults cover everything."""

    def token(environments=("staging", "production"), actions=ApiToken.Action.values, lasts=A_DAY):
        rows = Environment.objects.filter(name__in=environments)
        return issue(name="ci", environments=rows, actions=actions, lasts=lasts, actor="olga")

    return token


@pytest.fixture
def ci(client, token, backend):
    return Ci(client, token()[1])


def done_so_far(backend):
    return {
        "operations": Operation.objects.count(),
        "deployments": Deployment.objects.count(),
        "objects": [one.key for one in backend.objects.list("")],
    }


def test_push_promote_and_roll_back(ci, backend, staging, production):
    query = {"commit": "0123abc", "author": "Ann <ann@example.com>", "branch": "main"}
    answer = ci.push("A", **query, message="New prices")
    assert answer.status_code == 202
    assert answer["Location"] == answer.json()["url"]
    assert answer.json()["state"] == "waiting"
    assert len(list(backend.objects.list(uploads.PREFIX))) == 1
    state = ci.done(answer)
    release = staging.live.release
    assert (state["state"], state["release"], state["has_ended"]) == ("done", release.name, True)
    assert state["steps"][-1]["line"].startswith("staging serves") or state["steps"]
    assert (release.commit, release.branch, release.author) == (
        "0123abc",
        "main",
        "Ann <ann@example.com>",
    )
    assert (release.message, release.created_by) == ("New prices", ApiToken.objects.get().actor)
    assert not list(backend.objects.list(uploads.PREFIX))

    wanted = {"action": "promote", "from": "staging", "to": "production", "reason": "Approved"}
    assert ci.done(ci.post(wanted))["release"] == release.name
    other = ci.done(ci.push("B"))["release"]
    assert ci.done(ci.post({**wanted, "release": other}))["kind"] == "promote"
    assert production.live.release.name == other
    back = {"action": "rollback", "environment": "production", "release": release.name}
    assert ci.done(ci.post(back))["state"] == "done"
    assert production.live.release == release
    assert production.live.actor == ApiToken.objects.get().actor
    assert ApiToken.objects.get().last_used_at


def test_push_as_a_form(ci, client, staging):
    answer = client.post(
        ADDRESS,
        {
            "action": "push",
            "environment": "staging",
            "zip": SimpleUploadedFile("site.zip", archive(), content_type=ZIP),
        },
        headers=ci.headers,
    )
    assert ci.done(answer)["state"] == "done"
    assert staging.live


def test_push_that_fails_says_why_and_leaves_no_archive(ci, backend):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as output:
        output.writestr("id_rsa", "x")
    state = ci.done(ci.post(content.getvalue(), ZIP))
    assert (state["state"], state["deployment"]) == ("failed", None)
    assert state["steps"][-1]["is_fault"]
    assert "id_rsa" in state["steps"][-1]["line"]
    assert not list(backend.objects.list(uploads.PREFIX))


def test_push_whose_task_was_killed_begins_again_with_the_archive(
    ci, backend, staging, database_clock
):
    answer = ci.push()
    operation = Operation.objects.get()
    Operation.objects.update(state="running", attempts=1, alive_at=timezone.now())
    database_clock.shift(timedelta(minutes=1))
    assert ci.done(answer)["state"] == "done"
    assert "begin again" in lines(operation)[0]
    assert staging.live


def test_operation_that_is_given_up_leaves_no_archive(ci, backend, database_clock):
    url = ci.push().json()["url"]
    database_clock.shift(timedelta(hours=1))
    assert ci.state(url).json()["state"] == "failed"
    tasks.resume()
    assert Operation.objects.get().state == "failed"
    assert not list(backend.objects.list(uploads.PREFIX))


def test_archive_without_an_operation_is_removed_after_a_day(ci, backend, database_clock):
    ci.push()
    Operation.objects.all().delete()
    assert tasks.forget()["uploads"] == 0
    database_clock.shift(2 * A_DAY)
    assert tasks.forget()["uploads"] == 1
    assert not list(backend.objects.list(uploads.PREFIX))


def test_viewers_cannot_reach_an_archive(ci, backend, operator):
    operator.push("A")
    operator.promote()
    ci.push("B")
    (stored,) = backend.objects.list(uploads.PREFIX)
    for host in ("localhost", "staging.localhost"):
        assert backend.viewer.fetch(host, f"/{stored.key}").status == 404


# Refusals


def _forged(token):
    return make_token()


def _changed(token):
    return token[:-1] + ("0" if token[-1] != "0" else "1")


def _expired(token):
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    return token


def _revoked(token):
    assert revoke(ApiToken.objects.get(), actor="olga")
    return token


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (lambda token: "", "token-missing"),
        (lambda token: "x", "token-invalid"),
        (lambda token: f"{token}\x00", "token-invalid"),
        (_forged, "token-invalid"),
        (_changed, "token-invalid"),
        (_expired, "token-ended"),
        (_revoked, "token-ended"),
    ],
)
def test_tokens_that_are_not_valid(client, token, backend, caplog, made, code):
    before = done_so_far(backend)
    refused = Ci(client, made(token()[1]))
    with caplog.at_level(logging.WARNING, logger="deployments.api.refusals"):
        answer = refused.push()
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer.json()["message"]
    assert answer.json()["hint"]
    assert code in caplog.text
    assert RefusedRequest.objects.get().code == code
    assert done_so_far(backend) == before
    assert refused.state(f"{ADDRESS}1/").status_code == 401


@pytest.mark.parametrize(
    ("environments", "actions", "code"),
    [
        (["production"], ["push"], "token-environment"),
        ([], ["push"], "token-environment"),
        (["staging"], ["promote", "rollback"], "token-action"),
        (["staging"], [], "token-action"),
    ],
)
def test_tokens_for_something_else(client, token, backend, environments, actions, code):
    before = done_so_far(backend)
    row, text = token(environments, actions)
    answer = Ci(client, text).push()
    assert (answer.status_code, answer.json()["code"]) == (403, code)
    assert RefusedRequest.objects.get().token == row
    assert done_so_far(backend) == before


def test_token_of_another_environment_neither_promotes_nor_rolls_back_nor_looks(
    ci, client, token, two
):
    answer = ci.push("C")
    foreign = Ci(client, token(["staging"])[1])
    for wanted in (
        {"action": "promote", "from": "staging", "to": "production"},
        {"action": "rollback", "environment": "production"},
    ):
        assert foreign.post(wanted).json()["code"] == "token-environment"
    other = Ci(client, token(["production"])[1])
    assert other.state(answer.json()["url"]).status_code == 403
    assert other.state(f"{ADDRESS}{10**30}/").status_code == 403
    assert Operation.objects.count() == 1


def test_session_is_no_token(admin_client, backend):
    assert admin_client.post(ADDRESS, {"action": "push"}).json()["code"] == "token-missing"


def test_many_refused_requests_are_refused_for_a_while_but_valid_tokens_are_not(
    client, ci, backend, database_clock
):
    guesser = Ci(client, "guessed")
    statuses = [guesser.push().status_code for _ in range(22)]
    assert statuses == [401] * 20 + [429] * 2
    assert RefusedRequest.objects.count() == 20
    assert int(guesser.push()["Retry-After"]) > 0
    assert ci.push().status_code == 202
    database_clock.shift(timedelta(minutes=16))
    assert guesser.push().status_code == 401
    database_clock.shift(100 * A_DAY)
    assert tasks.forget()["refused_requests"] == 21


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch", "head", "options"])
def test_other_methods(ci, client, method):
    answer = getattr(client, method)(ADDRESS, headers=ci.headers)
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert client.post(f"{ADDRESS}1/", headers=ci.headers)["Allow"] == "GET"


@pytest.mark.parametrize(
    ("body", "content_type", "query", "status", "code"),
    [
        (b"no archive", ZIP, {}, 422, "upload-no-zip"),
        (b"", ZIP, {}, 415, "request-type"),
        (b"x", ZIP, {"action": "promote"}, 422, "request-invalid"),
        (b"x", ZIP, {"colour": "blue"}, 422, "request-invalid"),
        (b"x", ZIP, {"branch": "a\x00"}, 422, "request-invalid"),
        (b"x", ZIP, {"commit": "main"}, 422, "commit-invalid"),
        (b"x", ZIP, {"message": "a" * 301}, 422, "request-invalid"),
        (b"x", ZIP, {"environment": "production"}, 422, "push-protected"),
        (b"x", ZIP, {"environment": "nowhere\x00"}, 422, "request-invalid"),
        (b"x", "text/plain", {}, 415, "request-type"),
        ([], "application/json", {}, 422, "request-invalid"),
        ({"action": ["push"]}, "application/json", {}, 422, "request-invalid"),
        ({"action": "push", "environment": "staging"}, "application/json", {}, 422, None),
        ({"action": "promote", "to": "production"}, "application/json", {}, 422, None),
        (
            {"action": "promote", "to": "production", "release": "x"},
            "application/json",
            {},
            422,
            "release-unknown",
        ),
        ({"action": "rollback", "environment": "production"}, "application/json", {}, 422, None),
        ({"action": "x" * 70_000}, "application/json", {}, 413, "request-too-large"),
    ],
)
def test_requests_that_make_no_sense(ci, backend, body, content_type, query, status, code):
    before = done_so_far(backend)
    answer = ci.post(body, content_type, query)
    assert answer.status_code == status, answer.content
    assert set(answer.json()) == {"code", "message", "hint"}
    assert code in (None, answer.json()["code"])
    assert done_so_far(backend) == before


def test_body_beyond_the_limit(ci, settings, backend):
    settings.API_UPLOAD_BYTES = 10
    assert ci.push().json()["code"] == "request-too-large"
    assert done_so_far(backend) == NOTHING


def test_frozen_environment_takes_no_archive(ci, staging, backend):
    staging.freezes.create(reason="Holiday", actor="olga")
    answer = ci.push()
    assert (answer.status_code, "Holiday" in answer.json()["message"]) == (422, True)
    assert done_so_far(backend) == NOTHING


def test_tokens_end_within_a_year(token):
    with pytest.raises(Refused) as refused:
        token(lasts=timedelta(days=367))
    assert refused.value.code == "token-lasts"
    assert not ApiToken.objects.exists()


def test_text_of_a_token_is_not_kept(token):
    row, text = token()
    kept = json.dumps(ApiToken.objects.values().get(), default=str)
    assert text not in kept
    assert text[4:-33] not in kept
    assert row.sha256 in kept
