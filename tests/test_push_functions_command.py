"""`push_functions` while some viewers do not see the release; test_commands.py has the rest."""

import json
import re
from dataclasses import replace
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from deployments.models import Environment
from edge.backends import get_backend
from edge.functions.shipped import function_source
from edge.routing import RoutingDocument
from tests.deployments.doubles import Killed
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


@pytest.fixture
def operator(settings, tmp_path, ship_function):
    settings.EDGE_PROBE_SECONDS = 0
    operator = Operator(get_backend(), tmp_path)
    operator.push("A")
    operator.promote()
    ship_function("// a new line\n" + function_source())
    return operator


def refusal(environment):
    with pytest.raises(CommandError) as failed:
        run("push_functions", environment=environment, yes=True)
    assert failed.value.returncode == 1
    assert "viewer_request.js" not in str(failed.value)
    return str(failed.value)


def run_the_command_in(message):
    found = re.search(r"Run: manage\.py ([^.]+)\. ", message)[1]
    call_command(*found.split(), stdout=StringIO())


class DyingViewer:
    """Dies before the probe, so the switch has taken place and is not recorded."""

    def fetch(self, host, path, *, cookie="", **more):
        if cookie:
            return get_backend().viewer.fetch(host, path, cookie=cookie, **more)
        raise Killed


def test_interrupted_deployment_is_named_as_the_cause(operator):
    live = Environment.objects.get(name="staging").live
    operator.backend = replace(get_backend(), viewer=DyingViewer())
    with pytest.raises(Killed):
        operator.push("B")
    staging = Environment.objects.get(name="staging")
    interrupted = staging.deployments.unfinished().get()
    message = refusal("staging")
    assert f"names {interrupted.release} and the history says {live.release}" in message
    assert f"Deployment {interrupted.pk} was interrupted." in message
    run_the_command_in(message)
    assert run("push_functions", environment="staging")["release"] == interrupted.release.name


@pytest.mark.parametrize("fault", ["behind", "lost"])
def test_routing_document_that_is_behind_is_named_as_the_cause(operator, fault):
    store, key = get_backend().keyvalues, "host:localhost"
    older = RoutingDocument("production", "20200101-000000-00000000").to_json()
    puts, deletes = ({key: older}, []) if fault == "behind" else ({}, [key])
    store.update(puts=puts, deletes=deletes, if_match=store.etag())
    message = refusal("production")
    assert key in message
    run_the_command_in(message)
    assert run("push_functions", environment="production", yes=True)["kind"] == "function"
