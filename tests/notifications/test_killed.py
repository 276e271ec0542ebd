"""A worker that is killed at any step of sending: never two emails, and none lost in silence."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from notifications.kinds import State
from notifications.models import Message
from notifications.sending import send_due
from tests.notifications.builders import make_customers_job, make_message
from tests.notifications.server import MailServer

pytestmark = pytest.mark.every_step

ROOT = Path(__file__).resolve().parents[2]
# From the commit that says so until the answer is written down, nobody can know.
DOUBT = {
    "after sending",
    "before the dot goes out",
    "in the middle of the dot",
    "after the dot went out",
    "before answer",
    "after answer",
    "before sent",
}


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    """Kill a worker at each step; return the findings with the copies that arrived."""
    folder, server = tmp_path_factory.mktemp("killed"), MailServer()
    server.start()
    environment = {
        **os.environ,
        "DATA_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
        "EMAIL_URL": f"smtp://127.0.0.1:{server.port}",
        "DEBUG": "true",
    }
    command = [sys.executable, "-m", "tests.notifications.killing"]
    ran = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    time.sleep(0.5)  # for what the last worker had sent
    server.stop()
    assert ran.returncode == 0, ran.stderr
    found = [json.loads(line) for line in ran.stdout.splitlines()]
    for one in found:
        prefix = f"<message-{one['message']}-"
        ids = [str(email["Message-ID"]) for _, email in server.inbox]
        one["copies"] = sum(name.startswith(prefix) for name in ids)
    return found


def in_doubt(found):
    """Return the findings between the commit of `sending` and that of `sent`."""
    steps = [one["step"] for one in found]
    return found[steps.index("after sending") : steps.index("after sent")]


def test_every_step_was_met(walk):
    steps = {one["step"] for one in walk}
    assert steps >= DOUBT | {"before claim", "after claim", "before connect", "after sent", ""}
    assert steps >= {f"before {step} goes out" for step in ("mail", "rcpt", "data", "the data")}
    assert len(walk) > 40


def test_never_two_emails(walk):
    assert [one for one in walk if one["copies"] > 1] == []


def test_exactly_one_unless_killed_in_doubt(walk):
    doubtful = in_doubt(walk)
    others = [one for one in walk if one not in doubtful]
    assert [one for one in others if (one["copies"], one["state"]) != (1, State.SENT)] == []


def test_doubt_is_written_down_and_stays(walk):
    doubtful = in_doubt(walk)
    assert {one["step"] for one in doubtful} == DOUBT
    assert {one["state"] for one in doubtful} == {State.UNKNOWN}
    answered = [one for one in doubtful if one["step"] in ("after answer", "before sent")]
    assert [one["copies"] for one in answered] == [1, 1]


def test_workers_at_once_send_each_email_once(server, together):
    job = make_customers_job()
    messages = [make_message(job=job, key=f"{number}") for number in range(30)]
    results = together(send_due, times=4)
    assert sum(done["sent"] for done in results) == len(messages)
    arrived = sorted(str(email["Message-ID"]) for _, email in server.inbox)
    assert len(arrived) == len(set(arrived)) == len(messages)
    assert set(Message.objects.values_list("state", flat=True)) == {State.SENT}
