import io
import logging
from urllib.parse import quote

import pytest
from django.conf import settings
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from tracking.redaction import RedactTokens, redact


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/t/AB.12-x_y/", "/t/[token]"),
        ("/t/AB.12", "/t/[token]"),
        ("GET /track/AB.12.json HTTP/1.1", "GET /track/[token] HTTP/1.1"),
        ("GET /t/a,b;c%2Fd%20e/ HTTP/1.1 200", "GET /t/[token] HTTP/1.1 200"),
        ("/track-staging/AB?x=1", "/track-staging/[token]"),
        ("https://example.com/track/AB 200", "https://example.com/track/[token]"),
        ("/track.html?token=AB.12", "/track.html?token=[token]"),
        ("/track/?t=AB&x=1", "/track/?t=[token]"),
        ("/t/?link=https%3A%2F%2Fx%2Ftrack%2FAB", "/t/?link=[token]"),
        ("/book/?next=%2Ft%2FAB%2F", "/book/?next=%2Ft%2F[token]"),
        ("/book/?next=%252Ft%252FAB", "/book/?next=%252Ft%252F[token]"),
        ("with '{'token': 'a b'}' not found", "with '{'token': [token]"),
        ("X-Tracking-Token: a b", "X-Tracking-Token: [token]"),
        ("DETAIL:  Key (token)=(a b) already exists.", "DETAIL:  Key (token)=([token]"),
        (
            "first /t/A B\nsecond /track/C, D\nthird",
            "first /t/[token]\nsecond /track/[token]\nthird",
        ),
        ("GET /crew/AB.12/photos/ HTTP/1.1", "GET /crew/[token] HTTP/1.1"),
        ("/x?next=%2Fcrew%2FAB%2F", "/x?next=%2Fcrew%2F[token]"),
        ("/admin/dispatch/crew/3/change/", "/admin/dispatch/crew/3/change/"),
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


def test_log_of_the_web_server_is_redacted(settings):
    settings.SECRET_KEY = "x" * 50  # no web server starts with the development key
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
        "Not Found: /t/[token]\n"
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


def test_text_after_an_argument_with_a_token_stays():
    assert written(lambda log: log.warning("%s took %d ms", "/t/a b, c/", 7)) == (
        "/t/[token] took 7 ms\n"
    )


def test_token_in_the_text_of_an_error_is_redacted():
    error = ValueError("no page /t/a b, c/")
    assert written(lambda log: log.warning("Failed: %s.", error)) == (
        "Failed: no page /t/[token].\n"
    )


ODD = [
    "a b",
    "a, b",
    "a;b",
    "a/b",
    "a%2Fb",
    "a%252Fb",
    'it\'s "c"',
    "(a) [b] {c}",
    "ñ\u2028é",
    "a&b=c",
    "a?b#c",
]


@given(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), min_size=1))
def test_nothing_of_any_token_stays(token):
    token = f"<{token}>"  # found in no other word of the log
    for shown in (token, quote(token, safe=""), quote(token)):
        for before in ("/t/", "/track/", "/track-staging/", "/track.html?token=", "/t/?link="):
            assert shown not in redact(f"Not Found: {before}{shown}/")
            assert redact(f"{before}{shown}").partition("[token]")[2] == ""


@pytest.mark.parametrize("token", ODD)
@pytest.mark.django_db
def test_odd_token_is_not_logged_by_any_request(token, monkeypatch):
    """Neither by Django, nor as part of a traceback, encoded or not."""
    text = io.StringIO()
    for handler in logging.getLogger().handlers:
        if type(handler) is logging.StreamHandler:
            monkeypatch.setattr(handler, "stream", text)
    secret, client = f"s3cret{token}s3cret", Client(raise_request_exception=False)
    encoded = quote(secret, safe="")
    paths = [f"/t/{encoded}/", f"/t/{encoded}", f"/t/{encoded}/calendar.ics", f"/t/?link={encoded}"]
    for path in paths:
        client.get(path)
    monkeypatch.setattr("tracking.views.find_link", lambda found: 1 / 0 if found else None)
    for path in paths:
        client.get(path)
    # A path with a slash in its token leads to no view.
    assert ("ZeroDivisionError" in text.getvalue()) is ("/" not in token)
    assert "s3cret" not in text.getvalue()


def test_other_arguments_are_unchanged():
    assert written(lambda log: log.warning("%s of %d", "one", 2)) == "one of 2\n"


@pytest.mark.django_db
def test_djangos_log_of_an_unknown_link_has_no_token(monkeypatch):
    text = io.StringIO()
    for handler in logging.getLogger().handlers:
        if type(handler) is logging.StreamHandler:
            monkeypatch.setattr(handler, "stream", text)
    Client().get("/t/very-secret/")
    assert "Not Found: /t/[token]\n" in text.getvalue()
    assert "very-secret" not in text.getvalue()


def test_every_handler_has_the_filter():
    assert all(
        "redact_tokens" in handler["filters"] for handler in settings.LOGGING["handlers"].values()
    )
    assert not logging.getLogger("django").handlers
    assert not logging.getLogger("django.server").handlers
