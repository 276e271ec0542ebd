"""The system checks of the settings for messages."""

import pytest

from notifications.checks import check_email, check_messages


def ids(check=check_messages):
    return [message.id for message in check(None)]


def test_development_needs_nothing():
    assert ids() == ids(check_email) == []


def test_unknown_back_end(settings):
    settings.SMS_BACKEND = "pigeon"
    assert ids() == ["notifications.E001"]


def test_twilio_needs_an_account(settings):
    settings.SMS_BACKEND = "twilio"
    [message] = check_messages(None)
    assert message.id == "notifications.E002"
    assert "TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, SMS_FROM" in message.msg
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, settings.SMS_FROM = "AC1", "x", "MG1"
    assert ids() == []


@pytest.mark.parametrize("name", ["SMS_QUIET_FROM", "SMS_QUIET_UNTIL"])
@pytest.mark.parametrize("text", ["", "9 pm", "25:00"])
def test_quiet_hours_are_times(settings, name, text):
    setattr(settings, name, text)
    assert ids() == ["notifications.E003"]


def test_production_needs_email(settings):
    settings.EMAIL_URL = ""
    assert ids(check_email) == ["notifications.W001"]
    settings.EMAIL_BACKEND_NAMED = "anymail.backends.postmark.EmailBackend"
    assert ids(check_email) == []
