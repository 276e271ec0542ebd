"""The reference says what the code says: statuses, behaviours, fields, checks."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from deployments.releases.smoke_checks import SmokeCheck
from deployments.sources import archive
from deployments.sources import limits as source_rules
from dispatch.statuses import FLOW, Status
from edge.behaviours import BEHAVIOURS
from tests.builders import make_job
from tracking.documents import public_document

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]


def rows(page: str, heading: str) -> list[list[str]]:
    """Read the rows of the table under a heading row that begins with `heading`."""
    text = (ROOT / "docs/reference" / page).read_text()
    _, found, rest = text.partition(f"\n| {heading}")
    assert found, f"{page} has no table '{heading}'"
    lines = rest.split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_statuses_and_transitions():
    shown = {code.strip("`"): row for code, *row in rows("job-statuses.md", "status")}
    assert list(shown) == Status.values
    for status in Status:
        allowed = [step.value for step in Status if step in FLOW[status].to]
        label, to, told = shown[status.value]
        assert label == status.label
        assert re.findall(r"`(\w+)`", to) == allowed, status
        assert told == FLOW[status].next_for_customer


def test_behaviours():
    shown = [(pattern.strip("`"), origin) for pattern, origin in rows("urls.md", "pattern")]
    assert shown == [(item.pattern, item.origin.value) for item in BEHAVIOURS]


@pytest.mark.django_db
def test_fields_of_the_tracking_document():
    shown = [name.strip("`") for name, *_ in rows("tracking-document.md", "field")]
    assert shown == list(public_document(make_job()))


def test_system_checks():
    shown = {name.strip("`") for name, *_ in rows("system-checks.md", "id")}
    code = "".join(path.read_text() for path in ROOT.glob("*/checks.py"))
    assert shown == set(re.findall(r'id="(\w+\.\w+)"', code))


def test_settings_are_the_variables_that_are_read():
    shown = {name.strip("`") for name, *_ in rows("settings.md", "variable")}
    assert shown == set(re.findall(r'env\.\w+\(\s*"(\w+)"', (ROOT / "qdn/settings.py").read_text()))


def test_limits_of_sources():
    assert [value for _, value in rows("sources.md", "limit")] == [
        f"{source_rules.FILES_AT_MOST:,}",
        f"{source_rules.BYTES_AT_MOST // 2**30} GiB",
        f"{source_rules.NAME_BYTES}",
        f"{source_rules.SEGMENT_BYTES}",
        f"{archive.ENTRIES_AT_MOST:,}",
        f"{archive.DIRECTORY_BYTES // 2**20} MiB",
        f"{archive.RATIO_AT_MOST}",
    ]


def test_names_that_sources_leave_out():
    shown = {name for names, _ in rows("sources.md", "name") for name in names.split(", ")}
    assert shown == {f"`{name}`" for name in source_rules.SKIPPED}


def test_keys_of_smoke_checks():
    assert [key.strip("`") for key, _ in rows("sources.md", "key")] == list(SmokeCheck.__slots__)


def shown_commands(page: Path) -> list[tuple[str, list[str]]]:
    """Find each `manage.py COMMAND --flag ...` of a page, over continued lines."""
    text = page.read_text().replace("\\\n", " ")
    found = re.findall(r"manage\.py ([a-z_]+)([^\n`|]*)", text)
    return [
        (name, re.findall(r"(?<!\S)--[a-z-]+", rest.partition("  #")[0])) for name, rest in found
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_that_are_shown_exist_with_their_flags(page):
    for name, flags in shown_commands(page):
        app = get_commands().get(name)
        assert app, f"{page.name} shows manage.py {name}"
        command = app if not isinstance(app, str) else load_command_class(app, name)
        known = command.create_parser("manage.py", name)._option_string_actions
        assert set(flags) <= set(known), f"{page.name}: manage.py {name} {flags}"


def test_shown_commands_are_found():
    found = dict(shown_commands(ROOT / "docs/how-to/create-and-move-jobs-from-the-shell.md"))
    assert "create_job" in found
    assert found["job_status"] == ["--side", "--reason"]
