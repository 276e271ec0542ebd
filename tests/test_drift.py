"""What drifts when nobody looks: commands and their pages, settings and their example."""

import argparse
import re
from pathlib import Path

import pytest
from django.core.management import call_command, get_commands, load_command_class

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = sorted(name for name, app in get_commands().items() if app == "qdn")
REFERENCE = (ROOT / "docs/reference/commands.md").read_text()


def parser_of(name):
    return load_command_class("qdn", name).create_parser("manage.py", name)


@pytest.mark.parametrize("name", COMMANDS)
def test_command_says_in_one_sentence_what_it_does(name):
    text = load_command_class("qdn", name).help
    assert re.fullmatch(r"[A-Z][^\n]{10,120}\.", text)


@pytest.mark.parametrize("name", COMMANDS)
def test_command_stands_in_the_reference_with_every_flag(name):
    _, found, rest = REFERENCE.partition(f"## {name}\n")
    assert found, f"docs/reference/commands.md lacks a section '## {name}'"
    section = rest.partition("\n## ")[0]
    assert load_command_class("qdn", name).help in section
    for action in parser_of(name)._actions:
        if is_ours(action):
            shown = action.option_strings[-1] if action.option_strings else action.metavar
            assert f"`{shown}" in section, f"{name}: {shown} is not in the reference"


def is_ours(action):
    """Tell our arguments from the ones Django gives every command."""
    django_has = {"help", "version", "verbosity", "settings", "pythonpath", "traceback"}
    django_has |= {"no_color", "force_color", "skip_checks"}
    return action.dest not in django_has and action.help != argparse.SUPPRESS


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_every_setting_read_stands_in_the_example_and_the_reference():
    read = re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', (ROOT / "qdn/settings.py").read_text())
    assert "SECRET_KEY" in read
    example = (ROOT / ".env.example").read_text()
    reference = (ROOT / "docs/reference/settings.md").read_text()
    for name in read:
        assert re.search(rf"^#?{name}=", example, re.MULTILINE), f".env.example lacks {name}"
        assert f"`{name}`" in reference, f"docs/reference/settings.md lacks {name}"


def test_no_file_names_a_registry_host():
    for path in [*ROOT.glob("requirements/*"), *ROOT.glob("bin/*"), ROOT / "pyproject.toml"]:
        assert not re.search(r"https?://(?!localhost)", path.read_text()), path


@pytest.mark.parametrize(
    "path", [*ROOT.glob("docs/**/*.md"), *ROOT.glob("*.md")], ids=lambda path: path.name
)
def test_links_in_the_documentation_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text()):
        if not target.startswith(("http", "mailto")):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"
