"""An outage of the back end at any call: exit code 3 or 4, and the line that finishes."""

import dataclasses
import itertools
import json
import re
import shlex
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command, load_command_class

from deployments.locks.deploy_lock import deploy_lock
from deployments.models import DeployLock, Environment, Strategy
from edge.backends import get_backend
from edge.errors import BackendRefused, BackendUnavailable
from edge.functions.shipped import function_source
from qdn.command_lines import command_line
from tests.deployments.deploy.test_interrupted import MOST_CALLS
from tests.deployments.doubles import FaultPoint
from tests.deployments.sites import write_site

pytestmark = pytest.mark.django_db
SWITCHING = ("qdn.switching", "qdn.management.commands.push", "qdn.management.commands.invalidate")


@pytest.fixture(autouse=True)
def no_patience(settings):
    settings.EDGE_PROBE_SECONDS = 0


@pytest.fixture
def backend():
    return get_backend()


@pytest.fixture
def use(monkeypatch):
    """Let the commands work on a back end."""

    def use(backend):
        for module in SWITCHING:
            monkeypatch.setattr(f"{module}.get_backend", lambda: backend)

    return use


@pytest.fixture
def site(tmp_path):
    return lambda mark: str(write_site(tmp_path / f"site of {mark}", mark=mark))


@pytest.fixture
def releases(site):
    """Two releases that were both live in production."""
    return [push_and_promote(site(mark)) for mark in "AB"]


def push_and_promote(source):
    release = run("push", "--source", source)["release"]
    run("promote", "--yes")
    return release


def run(*arguments):
    out = StringIO()
    call_command(*arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def attempt(*arguments):
    """Run a command; give its exit code and message."""
    try:
        run(*arguments)
    except CommandError as error:
        return error.returncode, str(error)
    return 0, ""


def told(message):
    """Take the words out of what an operator would paste."""
    return shlex.split(re.search(r"Run: manage\.py (.+)$", message)[1])


def broken(backend, fault):
    """Put a fault in front of every part."""
    parts = ("objects", "keyvalues", "functions", "distribution", "viewer")
    return dataclasses.replace(
        backend, **{name: fault.before(getattr(backend, name)) for name in parts}
    )


def walk(backend, use, command):
    """Put an outage at call 1, 2, 3, ... of a command; after each, do what the message says.

    At every other one the call is carried out, and its answer lost. Gives how many there were.
    """
    for number in itertools.count(1):
        assert number < MOST_CALLS
        fault = FaultPoint(number, BackendUnavailable("No answer."), after=number % 2 == 0)
        use(broken(backend, fault))
        arguments = command(number)
        code, message = attempt(*arguments)
        use(backend)
        if not fault.was_reached:
            assert code == 0
            return number - 1
        # A look for room that fails is left to the request itself.
        assert code in (3, 4) or fault.name == "in_progress", message
        run(*(told(message) if code else arguments))
        run(*arguments)
        assert not DeployLock.objects.exists()
        for environment in Environment.objects.all():
            assert not environment.deployments.unfinished().exists()
    return None


@pytest.mark.parametrize("strategy", Strategy)
@pytest.mark.parametrize("way", [("promote", "--release"), ("rollback",)], ids=lambda way: way[0])
def test_switching(backend, use, releases, way, strategy):
    production = Environment.objects.get(name="production")
    production.strategy = strategy
    production.save()
    assert walk(backend, use, lambda n: (*way, releases[n % 2 - 1], "--yes")) > 15


def test_push(backend, use, site, releases):
    def command(number):
        return "push", "--source", site(number), "--message", f"it's {number}"

    assert walk(backend, use, command) > 25


def test_publishing_a_function(backend, use, releases, monkeypatch):
    def command(number):
        newer = f"{function_source()}\n// {number}\n"
        monkeypatch.setattr("deployments.routing.functions.function_source", lambda: newer)
        return ("push_functions",)

    assert walk(backend, use, command) > 15


def test_invalidating(backend, use, releases):
    assert walk(backend, use, lambda number: ("invalidate", "/book/", "--yes")) == 2


# What is told


def no_answer(backend, use, *, error=BackendUnavailable):
    """Let the object store fail from the first call on."""
    fault = FaultPoint(1, error("No answer.", "Wait."))
    use(dataclasses.replace(backend, objects=fault.before(backend.objects)))


def test_line_is_the_one_that_was_typed(backend, use, releases, capsys):
    no_answer(backend, use)
    command = load_command_class("qdn", "rollback")
    with pytest.raises(SystemExit) as ended:
        command.run_from_argv(["/srv/manage.py", "rollback", "--yes", "--reason", "it's broken"])
    assert ended.value.code == 4
    assert capsys.readouterr().err == (
        "CommandError: No answer. Wait. Nothing was changed. "
        "Run: manage.py rollback --yes --reason 'it'\"'\"'s broken'\n"
    )


def test_line_of_a_call_from_python_is_rebuilt(backend, use, site):
    no_answer(backend, use)
    with pytest.raises(CommandError) as failed:
        call_command("push", source=Path(site("A")), message="x", no_deploy=True, stdout=StringIO())
    assert told(str(failed.value)) == [
        "push", f"--source={site('A')}", "--no-deploy", "--message=x",
    ]  # fmt: skip


def test_rebuilt_line_says_no_where_no_was_said():
    command = load_command_class("qdn", "provision")
    options = {"environment": "staging", "hsts_subdomains": False, "alias": ["a.example", ""]}
    assert command._again(options) == (
        "manage.py provision --environment=staging --alias=a.example --alias= --no-hsts-subdomains"
    )


def test_line_stays_one_line():
    line = command_line(["push", "--message", "It's\n\tnew"])
    assert line == r"manage.py push --message $'It\'s\n\tnew'"


def test_uploaded_release_is_told(backend, use, site, monkeypatch):
    def fail(*args, **kwargs):
        raise BackendUnavailable("No answer.")

    monkeypatch.setattr("qdn.management.commands.push.deploy", fail)
    code, message = attempt("push", "--source", site("A"))
    assert code == 4
    assert "is uploaded; staging serves what it did. Run: manage.py push" in message


def test_refusal_stays_a_refusal(backend, use, releases):
    no_answer(backend, use, error=BackendRefused)
    assert attempt("rollback", "--yes") == (1, "No answer. Wait.")


def test_who_only_looks_has_nothing_to_finish(releases, monkeypatch):
    def fail():
        raise BackendUnavailable("No answer.")

    for command in ("status", "verify"):
        monkeypatch.setattr(f"qdn.management.commands.{command}.get_backend", fail)
        assert attempt(command) == (1, "No answer.")


def test_held_lock_tells_the_line_too(releases):
    production = Environment.objects.get(name="production")
    with deploy_lock(environment=production, actor="otto", reason="Promotion"):
        code, message = attempt("rollback", "--yes")
    assert code == 3
    assert told(message) == ["rollback", "--json", "--yes"]
