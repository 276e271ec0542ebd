"""The site documents and rules of releases in the key-value store."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from deployments.deploy.targets import canary_target
from deployments.errors import Refused
from deployments.models import Environment, FunctionVersion, Release
from deployments.push import promote_surfaces, push
from deployments.retention.prune import PruneRun, prune
from deployments.routing import previews
from deployments.routing.sites import write_site
from deployments.verification.verify import verify_environments
from edge.functions.shipped import function_source
from edge.sites import site_key

PAGE = "<!doctype html><title>{0}</title>{0}"
SITE = {
    "index.html": PAGE,
    "guide/index.html": PAGE,
    "genindex.html": PAGE,
    "404.html": PAGE,
    "objects.inv": "inventory {0}",
    "LICENSE": "licence {0}",
    "assets/logo.svg": "<svg>{0}</svg>",
    "_static/app.0123abcd.js": "code",
    "_redirects": "/old /guide/\n/blog/* /guide/ 302\n",
}


@pytest.fixture
def site(operator, backend, staging, tmp_path):
    """Return a function that pushes a site of other makers to staging."""

    def pushed(mark="A", **more):
        folder = tmp_path / f"docs-{mark}"
        for path, text in (SITE | more).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text.replace("{0}", mark))
        return push(backend, staging, caller=operator.caller, source=folder).release

    return pushed


def ask(backend, path, host="staging.localhost", cookie=""):
    """Return the status of a path, and its body or where it leads."""
    seen = backend.viewer.fetch(host, path, cookie=cookie)
    return seen.status, seen.headers.get("location") or seen.body.decode()


def keys_of(backend, release):
    return {key for key in backend.keyvalues.items() if release.name in key.split(":")}


def test_every_address_of_a_site_answers(site, backend):
    site("A")
    seen = {
        path: ask(backend, path)
        for path in ("/objects.inv", "/LICENSE", "/assets/logo.svg", "/genindex", "/guide", "/old",
                     "/blog/2020/x")
    }  # fmt: skip
    assert seen == {
        "/objects.inv": (200, "inventory A"),
        "/LICENSE": (200, "licence A"),
        "/assets/logo.svg": (200, "<svg>A</svg>"),
        "/genindex": (200, PAGE.format("A")),
        "/guide": (308, "/guide/"),
        "/old": (301, "/guide/"),
        "/blog/2020/x": (302, "/guide/"),
    }


def test_promotion_and_rollback_take_the_site_along(site, backend, operator, production):
    first = site("A")
    operator.promote()
    site("B", **{"_redirects": "/old /guide/ 302\n", "more.inv2": "x"})
    operator.promote()
    assert ask(backend, "/old", "localhost") == (302, "/guide/")
    assert ask(backend, "/more.inv2", "localhost") == (200, "x")
    operator.rollback()
    assert operator.served() == first.name
    assert ask(backend, "/old", "localhost") == (301, "/guide/")
    assert ask(backend, "/more.inv2", "localhost")[0] == 308
    (report,) = verify_environments(backend, "production", say=operator.said.append)
    assert report["drift"] == []


def test_switch_between_our_pages_and_a_site(site, backend, operator):
    ours = operator.push("A")
    theirs = site("B")
    assert ask(backend, "/objects.inv") == (200, "inventory B")
    operator.push("A")
    assert ask(backend, "/objects.inv")[0] == 404
    assert (ours.site, bool(theirs.site)) == ({}, True)


def test_canary_and_preview_see_their_own_site(site, backend, operator, production):
    operator.push("A")
    operator.promote()
    theirs = site("B")
    cookie = previews.cookie(
        previews.ticket(backend.keyvalues, production, theirs, lifetime=timedelta(hours=1))
    )
    assert ask(backend, "/objects.inv", "localhost", cookie) == (200, "inventory B")
    assert ask(backend, "/objects.inv", "localhost")[0] == 404
    staging = Environment.objects.named("staging")
    operator.deploy(canary_target(source=staging, to=production, percent=99, actor="olga"))
    document = json.loads(backend.keyvalues.get("host:localhost"))
    assert (document["c"]["d"], document.get("d")) == (1, None)


def test_names_without_a_hash_change_with_the_release(site, backend):
    site("A")
    site("B")
    assert ask(backend, "/assets/logo.svg") == (200, "<svg>B</svg>")


def test_shared_names_outlive_their_release(site, backend):
    site("A", **{"_next/static/chunks/a.js": "chunk of A"})
    site("B")
    assert ask(backend, "/_next/static/chunks/a.js") == (200, "chunk of A")


def test_lost_keys_are_reported_and_repaired(site, backend, operator):
    release = site("A")
    assert {site_key(release.name)} < keys_of(backend, release)
    keys = backend.keyvalues
    keys.update(puts={}, deletes=keys_of(backend, release), if_match=keys.etag())
    (report,) = verify_environments(backend, "staging", say=operator.said.append)
    (drift,) = report["drift"]
    assert drift["code"] == "site"
    assert drift["message"].startswith("3 keys of its site are lost or wrong")
    write_site(backend, release)
    (report,) = verify_environments(backend, "staging", say=operator.said.append)
    assert report["drift"] == []


def test_removed_release_leaves_no_keys(site, backend, settings, operator):
    settings.PRUNE_KEEP_DAYS, settings.PRUNE_KEEP_NEWEST = 0, 0
    first = site("A")
    others = [site("B"), site("C")]
    Release.objects.filter(pk=first.pk).update(marked_at=timezone.now() - timedelta(days=9))
    done = prune(PruneRun(backend, "olga", operator.said.append))
    assert first.name in done.swept
    assert keys_of(backend, first) == set()
    assert keys_of(backend, others[-1])


def test_many_rules_take_several_updates(site, backend):
    text = "".join(f"/old/{number} /guide/?{number}\n" for number in range(2_000))
    release = site("A", _redirects=text)
    assert len(keys_of(backend, release)) > backend.limits.update_keys
    assert ask(backend, "/old/1234") == (301, "/guide/?1234")


def test_old_function_refuses_a_site(site, backend, operator, ship_function):
    newest = function_source()
    ship_function(newest.replace("site:", "sight:"))
    operator.push("A")
    before = dict(backend.keyvalues.items())
    with pytest.raises(Refused) as refused:
        site("B")
    assert refused.value.code == "function-too-old"
    assert "manage.py push_functions --environment staging" in refused.value.hint
    assert backend.keyvalues.get("host:staging.localhost") == before["host:staging.localhost"]
    assert FunctionVersion.objects.count() == 1


def test_a_site_is_not_composed(site, backend, operator, production):
    operator.push("A")
    operator.promote()
    site("B")
    with pytest.raises(Refused) as refused:
        promote_surfaces(
            backend,
            surfaces=["home"],
            source=Environment.objects.named("staging"),
            to=production,
            caller=operator.caller,
        )
    assert refused.value.code == "site-not-composable"


def test_addresses_of_the_application_are_refused(site):
    with pytest.raises(Refused, match=r"/static/\* could never be fetched") as refused:
        site("A", **{"static/main.js": "x"})
    assert "/static/*" in refused.value.message


def test_same_site_is_the_same_release(site):
    assert site("A") == site("A")
