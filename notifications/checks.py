"""System checks of the settings for messages."""

from datetime import time
from typing import Any

from django.conf import settings
from django.core import checks

Messages = list[checks.CheckMessage]
BACK_ENDS = ("", "console", "twilio")
TWILIO = ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "SMS_FROM")


def check_messages(app_configs: Any, **kwargs: Any) -> Messages:
    """Check the settings for text messages."""
    return [*_back_end(), *_twilio(), *_quiet_hours()]


def check_email(app_configs: Any, **kwargs: Any) -> Messages:
    """Check that emails can leave, for `check --deploy`."""
    if settings.EMAIL_URL or settings.EMAIL_BACKEND_NAMED:
        return []
    return [
        checks.Warning(
            "EMAIL_URL is not set, so customers get no email.",
            hint="Set it to your mail server: docs/how-to/send-messages.md",
            id="notifications.W001",
        )
    ]


def _back_end() -> Messages:
    if settings.SMS_BACKEND in BACK_ENDS:
        return []
    return [
        checks.Error(
            f"Expected SMS_BACKEND to be console or twilio, found '{settings.SMS_BACKEND}'.",
            hint="Correct it, or remove it to send no text messages.",
            id="notifications.E001",
        )
    ]


def _twilio() -> Messages:
    missing = [name for name in TWILIO if not getattr(settings, name)]
    if settings.SMS_BACKEND != "twilio" or not missing:
        return []
    return [
        checks.Error(
            f"SMS_BACKEND is twilio, and {', '.join(missing)} is not set.",
            hint="Set it as your account shows it: docs/how-to/send-messages.md",
            id="notifications.E002",
        )
    ]


def _quiet_hours() -> Messages:
    return [
        checks.Error(
            f"Expected {name} to be a time like 21:00, found '{getattr(settings, name)}'.",
            hint=f"Correct {name}, or remove it to use the default.",
            id="notifications.E003",
        )
        for name in ("SMS_QUIET_FROM", "SMS_QUIET_UNTIL")
        if not _is_time(getattr(settings, name))
    ]


def _is_time(text: str) -> bool:
    try:
        time.fromisoformat(text)
    except ValueError:
        return False
    return True
