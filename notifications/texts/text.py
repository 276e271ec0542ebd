"""The shape of a text."""

from dataclasses import dataclass

from notifications.kinds import Channel, Event


@dataclass(frozen=True, slots=True)
class Text:
    """A template with {names}. `subject` is "" for text messages."""

    subject: str
    body: str


Texts = dict[tuple[Event, Channel], Text]


def texts(emails: dict[Event, tuple[str, str]], sms: dict[Event, str], *, closing: str) -> Texts:
    """Return the texts of both channels; every email ends with the closing."""
    found = {
        (event, Channel.EMAIL): Text(subject, f"{body.strip()}\n\n{closing.strip()}\n")
        for event, (subject, body) in emails.items()
    }
    return found | {(event, Channel.SMS): Text("", text) for event, text in sms.items()}
