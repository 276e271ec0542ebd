"""Probing over HTTP, and the local edge that stands in for CloudFront."""

import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from edge.backends import get_backend
from edge.backends.aws.viewer import HttpViewer
from edge.errors import BackendUnavailable
from edge.functions.shipped import function_name
from edge.local_edge import in_front_of
from edge.routing import RoutingDocument
from edge.serving.wsgi import LocalEdge
from tests.aws.test_certificates import CERTIFICATE
from tests.edge.builders import application


class _Echo(BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"{self.headers['Host']} {self.path}".encode()
        self.send_response(302)
        self.send_header("X-Amz-Meta-Release", "r1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def echo_server():
    """Answer with host and path, on a port of the system's choice."""
    server = HTTPServer(("127.0.0.1", 0), _Echo)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def echo(echo_server):
    return f"http://127.0.0.1:{echo_server.server_port}"


def test_viewer_connects_where_it_is_told_and_asks_for_the_host(echo):
    seen = HttpViewer(echo).fetch("www.example.org", "/track?t=1")
    assert (seen.status, seen.body) == (302, b"www.example.org /track?t=1")
    assert seen.headers["x-amz-meta-release"] == "r1"


def test_viewer_connects_to_the_distribution_of_an_alias(secure):
    viewer = HttpViewer(secure.replace("127.0.0.1", ""))  # only its scheme and port
    assert viewer.fetch("localhost", "/", via="127.0.0.1").status == 302
    with pytest.raises(BackendUnavailable, match="CERTIFICATE"):
        viewer.fetch("www.example.org", "/", via="127.0.0.1")


def test_viewer_tells_where_nobody_answered(unused_port):
    with pytest.raises(BackendUnavailable, match="EDGE_VIEWER_URL"):
        HttpViewer(f"http://127.0.0.1:{unused_port}").fetch("www.example.org", "/")


@pytest.fixture
def secure(echo_server, monkeypatch):
    """Answer over TLS with the certificate of `localhost`, which is trusted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    echo_server.handle_error = lambda *args: None
    echo_server.socket = context.wrap_socket(echo_server.socket, server_side=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    return f"https://127.0.0.1:{echo_server.server_port}"


def test_viewer_expects_the_certificate_of_the_host(secure):
    assert HttpViewer(secure).fetch("localhost", "/").status == 302
    with pytest.raises(BackendUnavailable, match="CERTIFICATE"):
        HttpViewer(secure).fetch("www.example.org", "/")


def test_viewer_refuses_an_answer_without_tls(echo):
    with pytest.raises(BackendUnavailable):
        HttpViewer(echo.replace("http:", "https:")).fetch("127.0.0.1", "/")


# The local edge over S3 and the key-value store


def get(app, path, host="example.org"):
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "HTTP_HOST": host,
               "wsgi.url_scheme": "http", "REMOTE_ADDR": "127.0.0.1"}  # fmt: skip
    status = []
    body = b"".join(app(environ, lambda line, headers: status.append(line)))
    return status[0], body


@pytest.fixture
def edge(aws, settings):
    settings.EDGE_REFRESH_SECONDS = 0
    return in_front_of(application)


def route(backend, release):
    document = RoutingDocument(environment="production", release=release).to_json()
    etag = backend.keyvalues.etag()
    backend.keyvalues.update(puts={"host:example.org": document}, if_match=etag)
    backend.objects.put(
        f"releases/{release}/index.html",
        release.encode(),
        content_type="text/html",
        cache_control="public, s-maxage=31536000",
    )


def test_local_edge_shows_what_stands_in_the_bucket(edge):
    backend = get_backend()
    assert get(edge, "/")[0].startswith("503")
    for release in ("r1", "r2"):
        route(backend, release)
        assert get(edge, "/") == ("200 OK", release.encode())


def test_local_edge_takes_a_published_function(edge):
    backend = get_backend()
    route(backend, "r1")
    name = function_name("production")
    source = "function handler(event) { return { statusCode: 204 }; }"
    etag = backend.functions.stage(name, source)
    assert get(edge, "/")[0] == "200 OK"
    backend.functions.publish(name, if_match=etag)
    assert get(edge, "/")[0].startswith("204")


def test_local_edge_keeps_nothing_that_nobody_would_drop(edge):
    backend = get_backend()
    route(backend, "r1")
    assert get(edge, "/")[1] == b"r1"
    backend.objects.delete(["releases/r1/index.html"])
    assert get(edge, "/")[0].startswith("404")


def test_without_the_setting_cloudfront_stands_in_front(aws, settings):
    settings.EDGE_LOCAL_VIEWER = False
    assert in_front_of(application) is application
    assert isinstance(get_backend().viewer, HttpViewer)


def test_with_the_setting_the_local_edge_does(edge):
    assert isinstance(edge, LocalEdge)
