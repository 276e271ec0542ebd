"""The texts that ship, by event and channel. The admin's templates take their place."""

from notifications.kinds import Channel, Event
from notifications.texts.english import ENGLISH
from notifications.texts.spanish import SPANISH
from notifications.texts.text import Text

DEFAULTS = {"en": ENGLISH, "es": SPANISH}

__all__ = ["DEFAULTS", "Text", "default_text"]


def default_text(event: Event, channel: Channel, language: str) -> Text:
    """Return the text that ships."""
    return DEFAULTS[language][Event(event), Channel(channel)]
