"""docs/reference/keys.md agrees with what is stored, in a system where everything was used once."""

import json
import re

import pytest

from deployments.models import Environment
from deployments.routing.preview_hosts import preview_key
from edge.backends import get_backend
from edge.limits import CLOUDFRONT
from edge.routing import Canary, RoutingDocument, routing_keys
from edge.serving_rules import ServingRules
from edge.sites import Site, Slashes, site_key, site_prefixes
from tests.builders import make_job
from tests.deployments.sites import Operator
from tests.docs.places import reference, rows
from tracking.links import ensure_link
from tracking.publishing import publish
from tracking.registry.writing import write_registry

NOT_STORED_HERE = {
    "live/<environment>/<path>",
    "doctor/<random>",
    "registry/last-backup.json",
    "uploads/<time>-<random>.zip",
    "incoming/<environment>/<name>.zip",
    "incoming/refused/<environment>/<name>.zip",
    "releases/<release>/checks.json",
    "releases/<release>/_site.json",
}
AS_RELEASED = {"the same", "as copied from the release"}


@pytest.fixture
def used(db, settings, tmp_path):
    """Return a back end after a push, a promotion and a published job."""
    settings.EDGE_PROBE_SECONDS = 0
    backend = get_backend()
    operator = Operator(backend, tmp_path)
    operator.push()
    operator.promote()
    ensure_link(job=make_job(), actor="olga")
    publish(objects=backend.objects)
    write_registry(backend.objects)
    return backend


def object_rows():
    """Return the pattern of each row as a regular expression, and its cache rule."""
    shown = {key.strip("`"): rule.strip("`") for key, _, rule in rows("keys.md", "key")}
    documents = shown["releases/<release>/<path>"]
    return {key: documents if rule in AS_RELEASED else rule for key, rule in shown.items()}


def matches(pattern, key):
    # The parts of a key in angle brackets are arbitrary; only a path may have slashes.
    expected = re.escape(pattern).replace("<path>", ".+")
    return re.fullmatch(re.sub(r"<[^>]+>", "[^/]+", expected), key)


def test_stored_objects(used):
    shown, met = object_rows(), set()
    for info in used.objects.list(""):
        patterns = [pattern for pattern in shown if matches(pattern, info.key)]
        assert patterns, f"{info.key} is not in the table"
        met |= set(patterns)
        assert used.objects.get(info.key).info.cache_control == shown[max(patterns, key=len)]
    assert met == set(shown) - NOT_STORED_HERE


def test_manifest(used):
    manifest = next(one for one in used.objects.list("releases/") if "manifest" in one.key)
    (listed,) = re.findall(r"each\s+`\{([^}]+)\}`", reference("keys.md"))
    for artifact in json.loads(used.objects.get(manifest.key).body):
        assert sorted(artifact) == re.findall(r'"(\w+)"', listed)


@pytest.mark.parametrize(
    ("sort", "key"), [("A deployment", r"audit/\d.*"), ("A release", r"audit/releases/.*")]
)
def test_audit_objects(used, sort, key):
    (listed,) = re.findall(rf"\n{sort}:\n\n    \{{([^}}]+)\}}", reference("keys.md"))
    stored = [one.key for one in used.objects.list("audit/") if re.fullmatch(key, one.key)]
    assert stored
    for one in stored:
        assert set(json.loads(used.objects.get(one).body)) == set(re.findall(r'"(\w+)"', listed))


def test_keys_of_the_key_value_store(used, settings):
    settings.PREVIEW_DOMAIN = "<PREVIEW_DOMAIN>"
    shown = {key.strip("`") for key, _ in rows("keys.md", "name")}
    rules = ServingRules(application=False, headers={"<name>": "x"}).keyvalues("<environment>")
    stored = {
        *routing_keys("<environment>", ["<hostname>"]),
        "preview",
        "origin:<hostname>",
        *rules,
        preview_key("<slug>"),
    }
    assert shown == stored | {
        site_key("<release>"),
        *(f"{prefix}<number>" for prefix in site_prefixes("<release>")[1:]),
    }
    assert used.keyvalues.get("preview")


def test_fields_of_a_routing_document():
    site = {"v": 1}
    full = RoutingDocument(
        "staging", "R", "P", Canary("R", 5, "s"), True, "Back soon", site, "a.example", "-"
    ).to_json()
    assert {field.strip("`") for field, _ in rows("keys.md", "field")} == set(json.loads(full))


def test_fields_of_a_site_document():
    folders = ("build",)
    full = Site(
        True, ("/b/",), ("inv",), True, Slashes.ADD, "/index.html", 1, 1, ("html",), folders, (1,)
    )
    shown = {one.strip("`, ") for names, _ in rows("keys.md", "in `d`") for one in names.split(",")}
    assert shown == set(full.as_document())


def test_limits():
    text = " ".join(reference("keys.md").split())
    assert f"a key has at most {CLOUDFRONT.key_bytes} bytes" in text
    assert f"key and value together have at most {CLOUDFRONT.entry_bytes:,} bytes" in text
    assert f"one update has at most {CLOUDFRONT.update_keys} keys" in text
    assert f"at most {CLOUDFRONT.function_source_bytes:,} bytes" in text


@pytest.mark.django_db
def test_environments_of_the_first_migration():
    shown = [
        (name.strip("`"), re.findall(r"`([^`]+)`", hosts), protected == "yes")
        for name, hosts, protected in rows("keys.md", "environment")
    ]
    stored = Environment.objects.order_by("pk").values_list("name", "hosts", "protected")
    assert sorted(shown) == sorted(stored)
