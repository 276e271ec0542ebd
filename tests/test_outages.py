"""An outage of the back end at any call: exit code 3 or 4, and the command that finishes."""

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
from edge.backends.local import backend as local
from edge.errors import BackendRefused, BackendUnavailable
from edge.functions.shipped import function_source
from qdn.command_lines import command_line
from tests.deployments.deploy.test_interrupted import MOST_CALLS
from tests.deployments.doubles import FaultPoint
from tests.deployments.sites import write_site

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_patience(settings):
    settings.EDGE_PROBE_SECONDS = 0


@pytest.fixture
def backend():
    return get_backend()


@pytest.fixture
def use(monkeypatch):
    """Return a function that makes the commands use a back end."""
    return lambda backend: monkeypatch.setattr(local, "make_backend", lambda: backend)


@pytest.fixture
def site(tmp_path):
    return lambda mark: str(write_site(tmp_path / f"site of {mark}", mark=mark))


@pytest.fixture
def releases(site):
    """Push and promote two releases."""
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
    """Run a command and return its exit code and message."""
    try:
        run(*arguments)
    except CommandError as error:
        return error.returncode, str(error)
    return 0, ""


def next_command(message):
    """Return the words of the command that the message says to run."""
    return shlex.split(re.search(r"Run: manage\.py (.+)$", message)[1])


def broken(backend, fault):
    """Put a fault in front of every part of a back end."""
    parts = ("objects", "keyvalues", "functions", "distribution", "viewer")
    return dataclasses.replace(
        backend, **{name: fault.before(getattr(backend, name)) for name in parts}
    )


def walk(backend, use, command):
    """Put an outage at call 1, 2, 3, ... of a command, and after each run what the message says.

    Every other call is carried out and only its answer is lost. Returns the number of calls.
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
        # If asking about room for an invalidation fails, the invalidation is sent anyway.
        assert code in (3, 4) or fault.name == "in_progress", message
        told = next_command(message) if code else arguments
        run(*told)
        if told[0] != arguments[0]:
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


def test_publishing_a_function(backend, use, releases, ship_function):
    def command(number):
        ship_function(f"{function_source()}\n// {number}\n")
        return ("push_functions",)

    assert walk(backend, use, command) > 15


def test_invalidating(backend, use, releases):
    assert walk(backend, use, lambda number: ("invalidate", "/book/", "--yes")) == 2


# Messages


def no_answer(backend, use, *, error=BackendUnavailable):
    """Make the first call of the object store fail."""
    fault = FaultPoint(1, error("No answer.", "Wait."))
    use(dataclasses.replace(backend, objects=fault.before(backend.objects)))


def test_message_repeats_the_command_line_as_typed(backend, use, releases, capsys):
    no_answer(backend, use)
    command = load_command_class("qdn", "rollback")
    with pytest.raises(SystemExit) as ended:
        command.run_from_argv(["/srv/manage.py", "rollback", "--yes", "--reason", "it's broken"])
    assert ended.value.code == 4
    assert capsys.readouterr().err == (
        "CommandError: No answer. Wait. Nothing was changed. "
        "Run: manage.py rollback --yes --reason 'it'\"'\"'s broken'\n"
    )


def test_message_rebuilds_the_command_line_of_a_call_from_python(backend, use, site):
    no_answer(backend, use)
    with pytest.raises(CommandError) as failed:
        call_command("push", source=Path(site("A")), message="x", no_deploy=True, stdout=StringIO())
    assert next_command(str(failed.value)) == [
        "push", f"--source={site('A')}", "--no-deploy", "--message=x",
    ]  # fmt: skip


def test_rebuilt_command_line_keeps_negative_flags():
    command = load_command_class("qdn", "provision")
    options = {"environment": "staging", "hsts_subdomains": False, "alias": ["a.example", ""]}
    assert command._again(options) == (
        "manage.py provision --environment=staging --alias=a.example --alias= --no-hsts-subdomains"
    )


def test_command_line_with_line_breaks_is_one_line():
    line = command_line(["push", "--message", "It's\n\tnew"])
    assert line == r"manage.py push --message $'It\'s\n\tnew'"


def test_message_names_the_release_that_was_uploaded(backend, use, site):
    fault = FaultPoint(1, BackendUnavailable("No answer."))
    use(dataclasses.replace(backend, keyvalues=fault.before(backend.keyvalues)))
    code, message = attempt("push", "--source", site("A"))
    assert code == 4
    assert "is uploaded; staging is unchanged. Run: manage.py push" in message


def test_request_that_the_back_end_refuses_exits_with_1(backend, use, releases):
    no_answer(backend, use, error=BackendRefused)
    assert attempt("rollback", "--yes") == (1, "No answer. Wait.")


@pytest.mark.parametrize("command", ["status", "verify"])
def test_command_that_only_reads_exits_with_1(monkeypatch, command):
    def fail():
        raise BackendUnavailable("No answer.")

    monkeypatch.setattr(local, "make_backend", fail)
    assert attempt(command) == (1, "No answer.")


def test_message_about_a_held_lock_has_the_command_line_too(releases):
    production = Environment.objects.get(name="production")
    with deploy_lock(environment=production, actor="otto", reason="Promotion"):
        code, message = attempt("rollback", "--yes")
    assert code == 3
    assert next_command(message) == ["rollback", "--json", "--yes"]
