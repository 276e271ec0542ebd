"""Previews, from signing to the page that a viewer sees."""

import re
from datetime import timedelta
from io import StringIO
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.utils import timezone

from deployments.errors import Refused
from deployments.models import Strategy
from deployments.routing import previews
from deployments.routing.maintenance import plan_maintenance, set_maintenance
from deployments.verification.checks import find_drift

HOUR = timedelta(hours=1)


@pytest.fixture
def releases(operator):
    """Two releases, both pushed; production serves the first."""
    first = operator.push("A")
    operator.promote()
    return first, operator.push("B")


@pytest.fixture
def seen(backend):
    """Return the release that a viewer of production sees."""

    def see(cookie="", path="/", host="localhost"):
        answer = backend.viewer.fetch(host, path, cookie=cookie)
        return answer.headers.get("x-amz-meta-release")

    return see


def code_of(call, *args, **kwargs):
    """Return the code of a refusal."""
    with pytest.raises(Refused) as caught:
        call(*args, **kwargs)
    assert caught.value.hint
    return caught.value.code


# Tickets


def test_ticket_shows_the_release_to_its_viewer_only(releases, backend, production, seen):
    live, other = releases
    ticket = previews.ticket(backend.keyvalues, production, other, lifetime=HOUR)
    assert seen(previews.cookie(ticket)) == other.name
    assert seen() == live.name


def test_ticket_is_refused_before_the_first_deployment(operator, backend, production):
    release = operator.release()
    code = code_of(previews.ticket, backend.keyvalues, production, release, lifetime=HOUR)
    assert code == "no-secret"


def without_secret(backend):
    store = backend.keyvalues
    store.update(puts={}, deletes=["preview"], if_match=store.etag())


def test_deleting_the_secret_ends_all_previews_and_blocks_no_deployment(
    releases, operator, backend, production, seen
):
    live, other = releases
    cookie = previews.cookie(previews.ticket(backend.keyvalues, production, other, lifetime=HOUR))
    without_secret(backend)
    assert seen(cookie) == live.name
    assert code_of(previews.preview, backend, production, other, lifetime=HOUR) == "no-secret"
    operator.promote()
    assert seen() == other.name
    operator.promote(live)
    assert seen(cookie) == live.name
    assert previews.preview(backend, production, other, lifetime=HOUR)


def test_status_answers_without_the_secret_in_maintenance(releases, backend, production):
    plan = plan_maintenance(backend, production, on=True)
    set_maintenance(backend, plan, actor="olga", say=lambda line: None)
    without_secret(backend)
    commands = {one.command for one in find_drift(backend, production) if one.code == "no-secret"}
    (command,) = commands
    call_command(*command.split()[1:], stdout=StringIO())
    assert find_drift(backend, production) == []


def test_hint_without_the_secret_brings_previews_back(releases, backend, staging):
    without_secret(backend)
    with pytest.raises(previews.NoSecret) as refused:
        previews.preview(backend, staging, releases[1], lifetime=HOUR)
    command = refused.value.hint.partition("manage.py ")[2]
    call_command(*command.split(), stdout=StringIO())
    assert previews.preview(backend, staging, releases[1], lifetime=HOUR)


@pytest.fixture(params=["forged", "cut", "expired", "foreign", "other-secret", "other-release"])
def invalid(request, releases, backend, production, staging):
    """Tickets that must be ignored, each for another reason."""
    live, other = releases

    def sign(environment=production, release=other, store=backend.keyvalues, now=None):
        return previews.ticket(store, environment, release, lifetime=HOUR, now=now)

    good = sign()
    return {
        "forged": lambda: good[:-43] + "A" * 43,
        "cut": lambda: good[:-1],
        "expired": lambda: sign(now=timezone.now() - 2 * HOUR),
        "foreign": lambda: sign(environment=staging),
        "other-secret": lambda: sign(store=SimpleNamespace(get=lambda key: "another secret")),
        "other-release": lambda: good.replace(other.name, live.name[:-8] + "00000000"),
    }[request.param]()


def test_invalid_cookie_is_ignored(invalid, releases, seen):
    assert seen(previews.cookie(invalid)) == releases[0].name


def test_invalid_link_is_ignored(invalid, releases, backend):
    answer = backend.viewer.fetch("localhost", f"/?release={invalid}")
    assert answer.status == 200
    assert answer.headers["x-amz-meta-release"] == releases[0].name
    assert "set-cookie" not in answer.headers


# Links


def test_link_shows_the_release_until_the_preview_is_left(releases, backend, production, seen):
    other = releases[1]
    link = previews.preview(backend, production, other, lifetime=HOUR, path="/book/?a=1")
    found = re.fullmatch(r"http://localhost:8000(/book/\?a=1&release=(.+))", link.url)
    answer = backend.viewer.fetch("localhost", found[1])
    assert (answer.status, answer.headers["location"]) == (302, "/book/?a=1")
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    assert seen(previews.cookie(found[2]), "/book/") == other.name
    assert timedelta(minutes=59) < link.expires - timezone.now() <= HOUR
    out = backend.viewer.fetch("localhost", "/book/?release=live", cookie=previews.cookie(found[2]))
    assert (out.status, out.headers["location"]) == (302, "/book/")


def test_link_replaces_a_ticket_in_the_path(releases, backend, production):
    path = "/book/?release=live&a=1"
    url = previews.preview(backend, production, releases[1], lifetime=HOUR, path=path).url
    answer = backend.viewer.fetch("localhost", url.removeprefix("http://localhost:8000"))
    assert releases[1].name in answer.headers["set-cookie"]
    assert answer.headers["location"] == "/book/?a=1"


def test_link_to_a_page_with_a_non_ascii_path(releases, backend, production):
    link = previews.preview(backend, production, releases[1], lifetime=HOUR, path="/caf\u00e9 1#a")
    assert re.fullmatch(r"http://localhost:8000/caf%C3%A9%201\?release=[^#]+#a", link.url)


def test_link_has_the_host_of_the_environment(
    releases, backend, replaced, production, staging, settings
):
    def start(environment, backend=backend):
        url = previews.preview(backend, environment, releases[1], lifetime=HOUR).url
        return url.partition("/?")[0]

    settings.SITE_URL = "http://127.0.0.1:8123"
    assert start(production) == "http://127.0.0.1:8123"
    assert start(staging) == "http://staging.localhost:8123"
    assert start(production, replaced(read_snapshot=None)) == "https://localhost"


def test_release_that_was_never_deployed_can_be_previewed(
    releases, operator, backend, production, seen
):
    candidate = operator.release("C")
    ticket = previews.ticket(backend.keyvalues, production, candidate, lifetime=HOUR)
    assert seen(previews.cookie(ticket)) == candidate.name


@pytest.mark.parametrize(
    "path", ["book/", "//evil.example", "", "https://evil.example/", "/admin/", "/assets/site.css",
             "/t/x/", "/a/../b", "/book//x", "/a%2Fb", "/100%", "/a\\b"],
)  # fmt: skip
def test_link_to_anything_but_a_page_is_refused(path, releases, backend, production):
    code = code_of(previews.preview, backend, production, releases[1], lifetime=HOUR, path=path)
    assert code == "no-page"


def test_link_is_valid_for_30_days_at_most(releases, backend, production):
    month, longer = timedelta(days=30), timedelta(days=30, minutes=1)
    assert previews.preview(backend, production, releases[1], lifetime=month)
    code = code_of(previews.preview, backend, production, releases[1], lifetime=longer)
    assert code == "too-long"


def test_link_is_refused_before_the_first_deployment(operator, backend, production):
    release = operator.push("A")  # creates the secret
    code = code_of(previews.preview, backend, production, release, lifetime=HOUR)
    assert code == "nothing-deployed"


def test_link_is_refused_if_no_function_runs(releases, backend, production):
    production.strategy = Strategy.COPY
    code = code_of(previews.preview, backend, production, releases[1], lifetime=HOUR)
    assert code == "no-function"


def test_link_to_an_incomplete_release_is_refused(releases, backend, production):
    other = releases[1]
    backend.objects.delete([other.key("index.html")])
    code = code_of(previews.preview, backend, production, other, lifetime=HOUR)
    assert code == "objects-gone"
