"""Kills a real worker at each step of sending an email, and lets others go on.

test_killed.py runs it as `python -m tests.notifications.killing`, with an empty folder in DATA_DIR
and a mail server in EMAIL_URL. Each attempt sends a new message in a forked process that sends
itself SIGKILL at its n-th step: before and after what it writes to the database, before, in the
middle of and after each piece it sends, and after each answer. Then the claim lapses, and two more
workers look at the ledger. The walk ends with a worker that met no n-th step. Each attempt prints a
line of JSON: the step, the Message-ID's number, and the message's state after both.
"""

import json
import os
import signal
import smtplib
import sys
from datetime import timedelta
from functools import wraps
from itertools import count
from pathlib import Path

import django

MOST_STEPS = 200


class Killer:
    """Kills this process at its n-th step, before anything can clean up."""

    def __init__(self, at, log):
        self.at, self.log, self.seen = at, log, 0

    def meet(self, step):
        self.seen += 1
        if self.seen == self.at:
            self.log.write_text(step)
            os.kill(os.getpid(), signal.SIGKILL)

    def install(self):
        from notifications import sending  # noqa: PLC0415

        self._around(sending, "claim_message", "claim")
        self._around(sending, "compose", "text")
        self._around(sending._Attempt, "_hand_over", "sending")
        self._around(sending._Attempt, "_accepted", "sent")
        self._around(smtplib.SMTP, "connect", "connect")
        self._around(smtplib.SMTP, "getreply", "answer")
        self._around_send()

    def _around(self, owner, name, step):
        real = getattr(owner, name)

        @wraps(real)
        def call(*args, **kwargs):
            self.meet(f"before {step}")
            found = real(*args, **kwargs)
            self.meet(f"after {step}")
            return found

        setattr(owner, name, call)

    def _around_send(self):
        real = smtplib.SMTP.send

        def send(connection, data):
            data = data.encode("ascii") if isinstance(data, str) else data
            step = data[:4].decode().strip() if len(data) < 100 else "the data"
            step = "the dot" if data == b".\r\n" else step
            self.meet(f"before {step} goes out")
            half = len(data) // 2
            real(connection, data[:half])
            self.meet(f"in the middle of {step}")
            real(connection, data[half:])
            self.meet(f"after {step} went out")

        smtplib.SMTP.send = send


def in_child(function):
    """Run a function in a forked process; return the signal that ended it, or 0."""
    from django.db import connections  # noqa: PLC0415

    connections.close_all()
    child = os.fork()
    if not child:
        try:
            function()
        finally:
            os._exit(0)
    return os.WTERMSIG(os.waitpid(child, 0)[1])


def attempt(number, job, folder):
    """Kill a worker at one step and let others go on; return what was found, or None at the end."""
    from notifications.models import Message  # noqa: PLC0415
    from notifications.sending import send_due  # noqa: PLC0415
    from tests.notifications.builders import make_message  # noqa: PLC0415

    message = make_message(job=job, key=f"{number}")
    row, log = Message.objects.filter(pk=message.pk), folder / "step"
    log.write_text("")

    def killed():
        Killer(number, log).install()
        send_due()

    ended = in_child(killed)
    after = row.get().state
    for _ in range(2):
        for one in row.exclude(claimed_at=None):
            row.update(claimed_at=one.claimed_at - timedelta(hours=1))
        assert in_child(send_due) == 0
    found = {"step": log.read_text(), "message": message.pk, "after": after}
    found["state"] = row.get().state
    sys.stdout.write(f"{json.dumps(found)}\n")
    sys.stdout.flush()
    return ended == signal.SIGKILL


def main():
    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    from tests.notifications.builders import make_customers_job  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    job = make_customers_job()
    numbers = count(1)
    while attempt(number := next(numbers), job, Path(os.environ["DATA_DIR"])):
        assert number < MOST_STEPS
    sys.exit(0)


if __name__ == "__main__":
    main()
