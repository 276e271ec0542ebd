"""A real mail server in a thread, which keeps what it accepts and can be told to misbehave."""

import email
import email.policy
import socket
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP


class MailServer(Controller):
    """Accepts every email. `answers` maps a step (MAIL, RCPT, DATA) to what it answers instead.

    An answer is text, or a function of the SMTP session. DATA is answered after the final dot;
    `keeps` says whether the email is kept first.
    """

    def __init__(self):
        super().__init__(self, hostname="127.0.0.1", port=_free_port())
        self.inbox = []
        self.answers = {}
        self.keeps = True

    def stop(self, **kwargs):
        if self.loop.is_running():
            super().stop(**kwargs)

    def factory(self):
        return SMTP(self, hostname="mail.example")

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
        return self._answer("MAIL", server) or self._keep_sender(envelope, address)

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        answer = self._answer("RCPT", server)
        if not answer:
            envelope.rcpt_tos.append(address)
        return answer or "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        answer = self._answer("DATA", server)
        if not answer or self.keeps:
            parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
            self.inbox.append((envelope.rcpt_tos, parsed))
        return answer or "250 Accepted"

    def copies_of(self, message_id):
        return sum(str(found["Message-ID"]) == message_id for _, found in self.inbox)

    def _keep_sender(self, envelope, address):
        envelope.mail_from = address
        return "250 OK"

    def _answer(self, step, server):
        answer = self.answers.get(step, "")
        return answer(server) if callable(answer) else answer


def drop(server):
    """End the connection without an answer."""
    server.transport.abort()
    return "250 Never arrives"


def hang(server):
    """Answer much later than anyone waits."""
    time.sleep(3)
    return "250 Late"


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
