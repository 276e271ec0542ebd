"""Faults between client and server, at every request of a command.

After each: every surface answers with one whole release. The command went through, or failed with
exit code 3 or 4 and the command to run; that command, run as it stands in the message, finishes.
"""

import itertools

import pytest

from deployments.models import DeployLock, Environment
from tests.aws import proxy as proxies
from tests.aws.conftest import next_command

MOST_REQUESTS = 200
# The request does not get there, or is refused: to the server it is the same. These take turns.
REFUSALS = [
    proxies.reset,
    proxies.answering(500, "InternalError"),
    proxies.answering(503, "SlowDown"),
]
KINDS = {
    "refused": lambda number: REFUSALS[number % 3],
    "done-but-answer-lost": lambda number: proxies.lose_answer,
}
CASES = [
    pytest.param(kind, lasting, id=f"{name}-{'from-then-on' if lasting else 'once'}")
    for name, kind in KINDS.items()
    for lasting in (False, True)
]
ALL_KINDS = [*REFUSALS, proxies.lose_answer]
HOSTS = {"production": "localhost", "staging": "staging.localhost"}


def walk(shop, proxy, environment, command, fault_at):
    """Spoil request 1, 2, 3, ... of a command until it no longer comes that far.

    Tells how many requests there were and which exit codes were seen.
    """
    codes = set()
    before = shop.served(HOSTS[environment])
    for number in itertools.count(1):
        assert number < MOST_REQUESTS
        arguments, fault = command(number), fault_at(number)
        proxy.clear(fault)
        code, message = shop.attempt(*arguments)
        proxy.clear()
        if not fault.met:
            return number - 1, codes
        codes.add(code)
        served = shop.served(HOSTS[environment])
        check_one_whole_release(served, message)
        check_what_is_told(before, served, code, message)
        before = check_it_finishes(shop, environment, arguments, code, message) or served
    return None


def check_one_whole_release(served, message):
    assert len(served) == 1, message
    assert None not in served, message


def check_what_is_told(before, served, code, message):
    assert code in (0, 3, 4), message
    assert bool(next_command(message)) == bool(code), message
    if (
        "Nothing was changed" in message
        or "serves what it did" in message
        or "is unchanged" in message
    ):
        assert served == before, message


def check_it_finishes(shop, environment, arguments, code, message):
    """Run what the message says, then the command: then it is done, and nothing is left."""
    if code == 0:
        return None
    told = next_command(message)
    shop.run(*told)
    if told[0] != arguments[0]:
        shop.run(*arguments)
    found = Environment.objects.get(name=environment)
    served = shop.served(HOSTS[environment])
    assert served == {found.live.release.name}
    assert not found.deployments.unfinished().exists()
    assert not DeployLock.objects.exists()
    return served
