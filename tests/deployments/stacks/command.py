"""The command `provision`, as tests run it."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d"


def run(environment="staging", **options):
    """Run provision with --json and return what it wrote."""
    out = StringIO()
    call_command("provision", environment=environment, json=True, stdout=out, **options)
    return json.loads(out.getvalue())


def refused(environment="staging", **options):
    """Return exit code and message of a provision that fails."""
    with pytest.raises(CommandError) as failed:
        run(environment, **options)
    assert "\n" not in str(failed.value)
    return failed.value.returncode, str(failed.value)
