"""Three thousand requests made at random: no answer is a failure, and none takes long.

`python -m bench.fuzz` sends more of them, over HTTP.
"""

import time
import traceback
from collections import Counter

import pytest
from django.core.signals import got_request_exception
from django.core.wsgi import get_wsgi_application

from edge.backends import get_backend
from edge.local_edge import in_front_of
from tests.attacks import world
from tests.attacks.asking import Answer, Request, ask, session_of
from tests.attacks.fuzz import Fuzzer, fault_in, find_targets, is_login

SEED, REQUESTS = 20261121, 3_000
# Processor time, because other work on the machine does not count.
SECONDS = 5


@pytest.fixture
def application(transactional_db, settings, tmp_path):
    """The edge in front of Django, with an installation that has a row of everything."""
    settings.EDGE_PROBE_SECONDS = 0
    settings.BOOKINGS_PER_ADDRESS_HOUR = settings.BOOKINGS_PER_ADDRESS_DAY = 0
    settings.BOOKINGS_PER_PHONE_DAY = 0
    world.make_all(get_backend(), tmp_path / "sites")
    return in_front_of(get_wsgi_application())


@pytest.fixture
def raised():
    """The exceptions of views, as text."""
    found = []

    def note(**kwargs):
        found.append(traceback.format_exc(limit=-4))

    got_request_exception.connect(note)
    yield found
    got_request_exception.disconnect(note)


def log_in(fuzzer):
    users = world.make_users()
    fuzzer.sessions.update({role: session_of(user) for role, user in users.items()})


@pytest.mark.filterwarnings("ignore")  # a warning does not change an answer
def test_no_request_breaks_anything(application, raised):
    fuzzer = Fuzzer(SEED, find_targets(application, world.make_users()["superuser"]))
    faults, statuses = [], Counter()
    log_in(fuzzer)
    for request in fuzzer.requests(REQUESTS):
        raised.clear()
        started = time.thread_time()
        answer = ask(application, request)
        seconds = time.thread_time() - started
        statuses[answer.status] += 1
        if fault := fault_in(request, answer) or (seconds > SECONDS and f"Slow: {request}"):
            faults.append("\n".join([fault, *raised[:1]]))
        # A form may have ended the session of a role, or changed or deleted its user.
        if request.role != "anonymous" and is_login(answer):
            log_in(fuzzer)
    assert not faults, "\n".join([f"Seed {SEED}, {len(faults)} faults", *faults[:10]])
    assert statuses[200] > REQUESTS / 10, statuses  # the requests got somewhere


@pytest.mark.parametrize(
    ("host", "path", "status", "is_fault"),
    [
        ("localhost", "/", 500, True),
        ("localhost", "/", 503, True),
        ("elsewhere", "/", 503, False),
        ("elsewhere", "/admin/", 503, True),
        ("localhost", "/", 404, False),
        ("localhost", "/readyz", 503, False),
        ("localhost", "/readyz", 500, True),
    ],
)
def test_failures_are_noticed(host, path, status, is_fault):
    assert bool(fault_in(Request(path, headers=(("Host", host),)), Answer(status))) is is_fault
