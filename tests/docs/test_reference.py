"""The reference pages agree with the code: statuses, behaviours, fields, checks, settings."""

import re

import pytest

from deployments.releases.smoke_checks import SmokeCheck
from deployments.sources import archive, limits
from dispatch.statuses import FLOW, Status
from edge.behaviours import BEHAVIOURS
from qdn.readiness import PARTS
from tests.builders import make_job
from tests.docs.errors import exits_by_code
from tests.docs.places import ROOT, rows
from tracking.documents import public_document

SETTINGS = set(re.findall(r'env\.\w+\(\s*"(\w+)"', (ROOT / "qdn/settings.py").read_text()))


def test_statuses_and_transitions():
    shown = {code.strip("`"): row for code, *row in rows("job-statuses.md", "status")}
    assert list(shown) == Status.values
    for status in Status:
        allowed = [step.value for step in Status if step in FLOW[status].to]
        label, to, needs, for_customer = shown[status.value]
        assert label == status.label
        assert re.findall(r"`(\w+)`", to) == allowed, status
        assert needs == "; ".join(need.value for need in FLOW[status].needs)
        assert for_customer == FLOW[status].next_for_customer


def test_behaviours():
    shown = [(pattern.strip("`"), origin) for pattern, origin in rows("urls.md", "pattern")]
    assert shown == [(item.pattern, item.origin.value) for item in BEHAVIOURS]


def test_parts_of_readyz():
    shown = [name.strip("`") for name, *_ in rows("urls.md", "part of `/readyz`")]
    assert shown == [*(part.name for part in PARTS), "routing"]


@pytest.mark.django_db
def test_fields_of_the_tracking_document():
    shown = [name.strip("`") for name, *_ in rows("tracking-document.md", "field")]
    assert shown == list(public_document(make_job()))


def test_system_checks():
    shown = {name.strip("`") for name, *_ in rows("system-checks.md", "id")}
    modules = [*ROOT.glob("*/checks.py"), *ROOT.glob("edge/backends/*/configuration.py")]
    code = "".join(path.read_text() for path in modules)
    assert shown == set(re.findall(r'id="(\w+\.\w+)"', code))


def test_settings():
    assert {name.strip("`") for name, *_ in rows("settings.md", "variable")} == SETTINGS


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_example_has_the_setting(name):
    example = (ROOT / ".env.example").read_text()
    assert re.search(rf"^#?{name}=", example, re.MULTILINE)


def test_limits_of_sources():
    assert [value for _, value in rows("sources.md", "limit")] == [
        f"{limits.FILES_AT_MOST:,}",
        f"{limits.BYTES_AT_MOST // 2**30} GiB",
        f"{limits.NAME_BYTES}",
        f"{limits.SEGMENT_BYTES}",
        f"{archive.ENTRIES_AT_MOST:,}",
        f"{archive.DIRECTORY_BYTES // 2**20} MiB",
        f"{archive.RATIO_AT_MOST}",
    ]


def test_names_that_sources_ignore():
    shown = {name for names, _ in rows("sources.md", "name") for name in names.split(", ")}
    assert shown == {f"`{name}`" for name in limits.SKIPPED}


def test_keys_of_smoke_checks():
    assert [key.strip("`") for key, _ in rows("sources.md", "key")] == list(SmokeCheck.__slots__)


def test_every_error_code_and_its_exit_codes():
    shown = [(code.strip("`"), exits) for code, exits, *_ in rows("errors.md", "code")]
    assert len(shown) == len(dict(shown)), "a code is listed twice"
    assert {code: {int(one) for one in exits.split(", ")} for code, exits in shown} == (
        exits_by_code()
    )
