"""Faults between client and server, at every request of push, promote and rollback.

After each: every surface answers with one whole release. The command went through, was refused
with nothing changed, or failed with exit code 3 or 4 and the command to run; that command, run as
it stands in the message, finishes.
"""

import itertools

import pytest

from deployments.models import DeployLock, Environment
from tests.aws import proxy as proxies
from tests.aws.conftest import next_command
from tests.aws.proxy import Fault

pytestmark = pytest.mark.django_db
MOST_REQUESTS = 200
FAULTS = {
    "reset": proxies.reset,
    "500": proxies.answering(500, "InternalError"),
    "503": proxies.answering(503, "SlowDown"),
    "done-but-answer-lost": proxies.lose_answer,
}
CASES = [
    pytest.param(spoil, lasting, id=f"{name}-{'from-then-on' if lasting else 'once'}")
    for name, spoil in FAULTS.items()
    for lasting in (False, True)
]
HOSTS = {"production": "localhost", "staging": "staging.localhost"}


def walk(shop, proxy, spoil, lasting, environment, command):
    """Spoil request 1, 2, 3, ... of a command until it no longer comes that far.

    Tells how many requests there were and which exit codes were seen.
    """
    codes = set()
    for number in itertools.count(1):
        assert number < MOST_REQUESTS
        before = shop.served(HOSTS[environment])
        arguments = command(number)
        fault = Fault(number, spoil, lasting)
        proxy.clear(fault)
        code, message = shop.attempt(*arguments)
        proxy.clear()
        if not fault.met:
            return number - 1, codes
        codes.add(code)
        check_one_whole_release(shop, environment, before, code, message)
        check_it_finishes(shop, environment, arguments, code, message)
    return None


def check_one_whole_release(shop, environment, before, code, message):
    served = shop.served(HOSTS[environment])
    assert len(served) == 1, message
    assert None not in served, message
    assert code in (0, 1, 3, 4), message
    if code == 1:
        assert served == before, message


def check_it_finishes(shop, environment, arguments, code, message):
    """Run what the message says, and the command again: it is done, and nothing is left over."""
    if code == 4:
        told = next_command(message)
        assert told or "Run the same push again" in message, message
        shop.run(*(told or arguments))
    shop.run(*arguments)
    found = Environment.objects.get(name=environment)
    assert shop.served(HOSTS[environment]) == {found.live.release.name}
    assert not found.deployments.unfinished().exists()
    assert not DeployLock.objects.exists()


@pytest.fixture
def releases(shop):
    """Two releases that were both live in production."""
    names = []
    for mark in "AB":
        names.append(shop.push(mark))
        shop.promote()
    return names


@pytest.mark.parametrize(("spoil", "lasting"), CASES)
@pytest.mark.parametrize("command", ["promote", "rollback"])
def test_switch(shop, proxy, releases, spoil, lasting, command):
    def switch(number):
        release = releases[number % 2 - 1]
        if command == "rollback":
            return "rollback", release, "--yes"
        return "promote", "--release", release, "--yes"

    requests, codes = walk(shop, proxy, spoil, lasting, "production", switch)
    assert requests > 15
    assert bool(codes & {3, 4}) or not lasting


@pytest.mark.parametrize(("spoil", "lasting"), CASES)
def test_push(shop, proxy, spoil, lasting):
    shop.push("first")

    def push(number):
        return shop.pushing(f"new-{number}")

    requests, codes = walk(shop, proxy, spoil, lasting, "staging", push)
    assert requests > 25
    assert 4 in codes or not lasting
