import io
import logging

import pytest
from django.conf import settings
from django.test import Client

from tracking.redaction import RedactTokens, redact


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/t/AB.12-x_y/", "/t/[token]/"),
        ("/t/AB.12", "/t/[token]"),
        ("GET /track/AB.12.json HTTP/1.1", "GET /track/[token] HTTP/1.1"),
        ("/track-staging/AB?x=1", "/track-staging/[token]?x=1"),
        ("https://example.com/track/AB 200", "https://example.com/track/[token] 200"),
        ("/track.html?token=AB.12", "/track.html?token=[token]"),
        ("/track/?t=AB&x=1", "/track/?t=[token]&x=1"),
        ("/t/?link=https%3A%2F%2Fx%2Ftrack%2FAB", "/t/?link=[token]"),
        ("/track/", "/track/"),
        ("/static/site/track.js", "/static/site/track.js"),
    ],
)
def test_redact(text, shown):
    assert redact(text) == shown


def written(log):
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactTokens())
    logger = logging.Logger("test")
    logger.addHandler(handler)
    log(logger)
    return stream.getvalue()


def test_log_of_the_web_server_is_redacted():
    import qdn.wsgi  # noqa: F401, PLC0415 - what gunicorn loads

    # gunicorn's logger has its own handler, and its messages contain the path.
    logger, stream = logging.getLogger("gunicorn.error"), io.StringIO()
    handler = logging.StreamHandler(stream)
    logger.addHandler(handler)
    try:
        logger.error("Error handling request %s", "/track/secret.json")
    finally:
        logger.removeHandler(handler)
    assert stream.getvalue() == "Error handling request /track/[token]\n"


def test_token_in_arguments_is_redacted():
    assert written(lambda log: log.warning("Not Found: %s", "/t/secret/")) == (
        "Not Found: /t/[token]/\n"
    )


def test_token_in_an_exception_is_redacted():
    def fail(log):
        try:
            raise ValueError("no such page: /track/secret")
        except ValueError:
            log.exception("%s failed", "It")

    text = written(fail)
    assert "secret" not in text
    assert "no such page: /track/[token]" in text


def test_other_arguments_are_unchanged():
    assert written(lambda log: log.warning("%s of %d", "one", 2)) == "one of 2\n"


@pytest.mark.django_db
def test_djangos_log_of_an_unknown_link_has_no_token(monkeypatch):
    text = io.StringIO()
    for handler in logging.getLogger().handlers:
        if type(handler) is logging.StreamHandler:
            monkeypatch.setattr(handler, "stream", text)
    Client().get("/t/very-secret/")
    assert "Not Found: /t/[token]/" in text.getvalue()
    assert "very-secret" not in text.getvalue()


def test_every_handler_has_the_filter():
    assert all(
        "redact_tokens" in handler["filters"] for handler in settings.LOGGING["handlers"].values()
    )
    assert not logging.getLogger("django").handlers
    assert not logging.getLogger("django.server").handlers
