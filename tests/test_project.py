"""Rules for the whole repository: no migration is missing, no file depends on a machine."""

import re
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_no_file_names_a_registry_host():
    for path in [*ROOT.glob("requirements/*"), *ROOT.glob("bin/*"), ROOT / "pyproject.toml"]:
        assert not re.search(r"https?://(?!localhost)", path.read_text()), path
