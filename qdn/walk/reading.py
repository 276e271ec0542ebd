"""Reading an email on the walk, as the customer does: bin/demo has them written into files."""

import email
import email.policy
from email.message import EmailMessage
from pathlib import Path

from django.conf import settings

from qdn.walk.steps import Steps

SEPARATOR = b"-" * 79  # between the emails of a file (Django's file back end)


def read_confirmation(steps: Steps, *, to: str, number: str, token: str) -> None:
    """Expect one email about a job, with its link. Skipped if emails are not files."""
    _, is_file, folder = settings.EMAIL_URL.partition("filemail:///")
    if not is_file:
        return

    def found() -> list[EmailMessage]:
        return [one for one in _emails(Path(folder)) if one["To"] == to and number in _text(one)]

    steps.wait(f"an email to {to}", lambda: bool(found()))
    emails = found()
    steps.expect(len(emails) == 1, f"expected one email about {number}, found {len(emails)}")
    steps.expect(f"/track/{token}" in _text(emails[0]), "the email does not have the job's link")
    steps.say(f"Email to {to}: {emails[0]['Subject']}")


def _emails(folder: Path) -> list[EmailMessage]:
    """Return the emails that are written to their end."""
    files = [file.read_bytes().split(SEPARATOR)[:-1] for file in folder.glob("*.log")]
    policy = email.policy.default
    return [email.message_from_bytes(one.lstrip(), policy=policy) for file in files for one in file]


def _text(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    return f"{message['Subject']}\n{body.get_content() if body else ''}"
