"""`push_functions` while some viewers do not see the release; test_commands.py has the rest."""

import json
from io import StringIO

import pytest
from django.core.management import call_command

from deployments.models import Environment
from edge.backends import get_backend
from tests.deployments.sites import Operator

pytestmark = pytest.mark.django_db


def run(*arguments, **options):
    out = StringIO()
    call_command(*arguments, json=True, stdout=out, **options)
    return json.loads(out.getvalue())


@pytest.mark.parametrize("hidden", ["maintenance", "canary"])
def test_function_is_tried_out_while_some_viewers_do_not_see_the_release(
    settings, tmp_path, ship_function, hidden
):
    settings.EDGE_PROBE_SECONDS = 0
    operator = Operator(get_backend(), tmp_path)
    live = operator.push("A")
    operator.promote()
    if hidden == "canary":
        operator.push("B")
        operator.canary(99)
    else:
        run("maintenance", "on", "--environment=production", "--yes")
    source = "// a new line\n" + Environment.objects.get(name="production").live.function.source
    ship_function(source)
    answer = run("push_functions", environment="production", yes=True)
    assert (answer["kind"], answer["release"]) == ("function", live.name)
