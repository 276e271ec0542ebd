"""Commands agree with the reference, and every command line in the docs can be run."""

import argparse
import re

import pytest
from django.core.management import get_commands, load_command_class

from tests.docs.places import DOCS, PAGES, reference, shown

COMMANDS = sorted(name for name, app in get_commands().items() if app == "qdn")
OF_DJANGO = {"help", "version", "verbosity", "settings", "pythonpath", "traceback"}
OF_DJANGO |= {"no_color", "force_color", "skip_checks"}


def our_arguments(name):
    parser = load_command_class("qdn", name).create_parser("manage.py", name)
    for action in parser._actions:
        if action.dest not in OF_DJANGO and action.help != argparse.SUPPRESS:
            yield (action.option_strings or [action.metavar or action.dest])[-1]


def command_lines(page):
    """Return each `manage.py COMMAND --flag ...` of a page, over continued lines."""
    text = page.read_text().replace("\\\n", " ")
    found = re.findall(r"manage\.py ([a-z_]+)([^\n`|]*)", text)
    return [
        (name, re.findall(r"(?<!\S)--[a-z-]+", rest.partition("  #")[0])) for name, rest in found
    ]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_one_sentence(name):
    assert re.fullmatch(r"[A-Z][^\n]{10,120}\.", load_command_class("qdn", name).help)


@pytest.mark.parametrize("name", COMMANDS)
def test_reference_has_the_command_with_every_flag(name):
    _, found, rest = reference("commands.md").partition(f"## {name}\n")
    assert found, f"docs/reference/commands.md has no section '## {name}'"
    section = rest.partition("\n## ")[0]
    assert load_command_class("qdn", name).help in section
    for argument in our_arguments(name):
        assert f"`{argument}" in section, f"{name}: {argument} is not in the reference"


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_command_lines_can_be_run(page):
    for name, flags in command_lines(page):
        app = get_commands().get(name)
        assert app, f"{shown(page)} has manage.py {name}"
        command = app if not isinstance(app, str) else load_command_class(app, name)
        known = command.create_parser("manage.py", name)._option_string_actions
        assert set(flags) <= set(known), f"{shown(page)}: manage.py {name} {flags}"


def test_command_lines_are_found():
    found = list(command_lines(DOCS / "how-to/create-and-move-jobs-from-the-shell.md"))
    assert "create_job" in dict(found)
    assert ("job_status", ["--side", "--reason"]) in found
