"""What doctor finds out about AWS."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from edge.backends import get_backend
from edge.backends.aws_diagnostics import AwsDiagnostics

pytestmark = pytest.mark.django_db


def findings():
    return {found.name: found for found in get_backend().diagnostics.diagnose()}


def test_all_is_well(aws):
    found = findings()
    assert set(found) == {"credentials", "clock", "region", "permissions", "SigV4A"}
    assert [one for one in found.values() if not one.ok] == []
    assert "000000000000" in found["credentials"].message


def test_missing_bucket_is_told(aws):
    backend = get_backend()
    diagnostics = AwsDiagnostics(backend.diagnostics._clients, "no-such-bucket")
    found = {one.name: one for one in diagnostics.diagnose()}
    assert not found["region"].ok
    assert not found["permissions"].ok
    assert "iam_policy" in found["permissions"].hint


def test_wrong_clock_is_told(aws):
    with time_machine.travel(timezone.now() + timedelta(minutes=20), tick=False):
        clock = findings()["clock"]
    assert not clock.ok
    assert "NTP" in clock.hint
