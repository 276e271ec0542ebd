"""Bulk requests trust the servers that boto3 trusts."""

import ssl
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import urllib3

from edge.backends.aws.bulk import NOTHING
from edge.backends.aws.clients import AwsClients, Patience
from edge.backends.aws.sending import Sender, no_body
from edge.backends.aws.window import Window
from tests.aws import stand_in

# Signed by itself, for the name `localhost` alone; made for these tests, until 2126.
CERTIFICATE = Path(__file__).parent / "localhost.pem"


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_PUT(self):
        self.send_response(204)
        self.end_headers()


@pytest.fixture
def port():
    """Run a server that shows the certificate; give its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    server = HTTPServer(("127.0.0.1", 0), _Handler)
    server.handle_error = lambda *args: None
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name, value in stand_in.environ(0).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("NO_PROXY", "*")


def ask(host, port, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"https://{host}:{port}")
    sender = Sender(AwsClients(Patience(attempts=1)), "pages", Window())
    with closing(sender):
        return sender.put("a", {}, payload=NOTHING, body=no_body).status


def test_certificate_of_the_host_is_taken(port, monkeypatch):
    monkeypatch.setenv("AWS_CA_BUNDLE", str(CERTIFICATE))
    assert ask("localhost", port, monkeypatch) == 204


def test_certificate_of_another_host_is_refused(port, monkeypatch):
    """Else whoever has any valid certificate could answer in place of S3."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(CERTIFICATE))
    with pytest.raises(urllib3.exceptions.SSLError):
        ask("127.0.0.1", port, monkeypatch)


def test_certificate_nobody_vouches_for_is_refused(port, monkeypatch):
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    with pytest.raises(urllib3.exceptions.SSLError):
        ask("localhost", port, monkeypatch)
