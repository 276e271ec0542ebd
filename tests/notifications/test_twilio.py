"""Twilio's side, played by a server: requests, answers, and silence after a request."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from notifications import sending
from notifications.channels.twilio import signature_of
from notifications.kinds import Channel, State
from notifications.sending import send_due
from tests.notifications.builders import START, make_message

pytestmark = pytest.mark.django_db


class Api(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.got.append((self.path, self.headers["Authorization"], parse_qs(body)))
        if self.server.delay:
            time.sleep(self.server.delay)
        if self.server.status:
            answer = json.dumps({"code": 21211, "message": "Invalid 'To'", "sid": "SM1"}).encode()
            self.send_response(self.server.status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
        else:
            self.close_connection = True

    def log_message(self, *args):
        pass


@pytest.fixture
def api(settings, database_clock):
    database_clock.stop(START)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    server.got, server.status, server.delay = [], 201, 0
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    settings.SMS_BACKEND, settings.SMS_FROM = "twilio", "+19075550111"
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = "AC1", "secret"
    settings.TWILIO_URL = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def send():
    message = make_message(channel=Channel.SMS)
    send_due()
    message.refresh_from_db()
    return message


def test_text_is_sent_with_the_link(api):
    message = send()
    [(path, login, form)] = api.got
    assert (message.state, path) == (State.SENT, "/2010-04-01/Accounts/AC1/Messages.json")
    assert base64.b64decode(login.removeprefix("Basic ")) == b"AC1:secret"
    assert (form["To"], form["From"]) == ([message.recipient], ["+19075550111"])
    assert "/track/secret-token" in form["Body"][0]
    assert "{link}" in message.body


def test_messaging_service(api, settings):
    settings.SMS_FROM = "MG123"
    send()
    assert api.got[0][2]["MessagingServiceSid"] == ["MG123"]


@pytest.mark.parametrize(
    ("status", "state"),
    [(400, State.FAILED), (429, State.QUEUED), (500, State.UNKNOWN), (0, State.UNKNOWN)],
)
def test_answers(api, status, state):
    api.status = status
    message = send()
    assert message.state == state
    assert status == 0 or f"Twilio answered {status} 21211: Invalid 'To'" in message.error
    send_due()
    assert len(api.got) == 1


def test_server_that_does_not_answer(api, monkeypatch):
    monkeypatch.setattr("notifications.channels.twilio.SECONDS", 0.3)
    api.delay = 1
    assert send().state == State.UNKNOWN


def test_server_that_is_down(api, settings):
    settings.TWILIO_URL = "http://127.0.0.1:9"
    message = send()
    assert (message.state, message.attempts) == (State.QUEUED, 1)


def test_unknown_back_end(api, settings):
    settings.SMS_BACKEND = "pigeon"
    message = send()
    assert message.state == State.FAILED
    assert "found 'pigeon'" in message.error


def test_nothing_secret_is_logged(api, caplog):
    api.status = 400
    send()
    assert "secret" not in caplog.text
    assert sending.log.name in caplog.text


# Twilio's own example: https://www.twilio.com/docs/usage/security#validating-requests
EXAMPLE = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+12349013030",
    "Digits": "1234",
    "From": "+12349013030",
    "To": "+18005551212",
}


def test_signature_is_twilios(settings):
    settings.TWILIO_AUTH_TOKEN = "12345"
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert signature_of(url, EXAMPLE) == "0/KCTR6DLpKmkAf8muzZqo1nDgQ="
