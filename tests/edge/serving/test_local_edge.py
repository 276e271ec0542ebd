"""The application as it is served: by gunicorn, from the settings."""

import http.client
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.local_edge import in_front_of
from edge.routing import RoutingDocument
from edge.serving.wsgi import LocalEdge
from tests.edge.builders import PAGE, RELEASE, application
from tests.edge.functions.cases import TOKEN
from tests.migrated import put_database

ROOT = Path(__file__).resolve().parents[3]
PREPARE = """
import django; django.setup()
from edge.backends import get_backend
backend = get_backend()
for key, body in {objects!r}.items():
    backend.objects.put(key, body, content_type="text/html", cache_control="public, max-age=5")
backend.keyvalues.update(puts={{"host:127.0.0.1": {document!r}}}, if_match=backend.keyvalues.etag())
"""
OBJECTS = {
    f"releases/{RELEASE}/track/index.html": PAGE,
    "registry/jobs.json": b"private",
    f"releases/{RELEASE}/.well-known/x": b"known",
}


def test_local_backend_puts_the_edge_in_front():
    assert isinstance(in_front_of(application), LocalEdge)


def test_aws_leaves_the_application_alone(settings):
    settings.EDGE_BACKEND = "aws"
    assert in_front_of(application) is application


@contextmanager
def gunicorn(environ):
    """Serve the project on a free port, and yield a connection to it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "qdn.wsgi", "--bind",
             f"fd://{listener.fileno()}", "--worker-class", "gthread", "--threads", "2",
             "--log-level", "error"],
            cwd=ROOT, env=environ, pass_fds=[listener.fileno()],
        )  # fmt: skip
        connection = http.client.HTTPConnection("127.0.0.1", listener.getsockname()[1], timeout=60)
        try:
            yield connection
        finally:
            connection.close()
            process.terminate()
            process.wait(timeout=30)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    environ = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"} | {
        "DATA_DIR": str(folder), "EDGE_BACKEND": "local", "DJANGO_SETTINGS_MODULE": "qdn.settings",
    }  # fmt: skip
    put_database(folder)
    document = RoutingDocument(environment="production", release=RELEASE).to_json()
    program = PREPARE.format(objects=OBJECTS, document=document)
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environ, check=True)
    with gunicorn(environ) as connection:
        yield connection, environ


def fetch(connection, path, method="GET", **headers):
    """Request a path exactly as written, which http.client would reject."""
    connection.putrequest(method, "/", skip_accept_encoding=True)
    connection._buffer[0] = f"{method} {path} HTTP/1.1".encode()
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    return response, response.read()


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        (f"/track/{TOKEN}", 200, PAGE),
        (f"/track/{TOKEN}/", 200, PAGE),
        ("/track/AB.12", 200, PAGE),
        ("/.well-known/x", 200, b"known"),
        (f"/track.html?token={TOKEN}", 301, b""),
        ("/track-staging/x", 404, None),
        ("/registry/jobs.json", 404, None),
        (f"/releases/{RELEASE}/track/index.html", 404, None),
        ("/%2e%2e/registry/jobs.json", 400, None),
        ("/../registry/jobs.json", 400, None),
        ("/a%2fb", 400, None),
        ("//evil.example/", 400, None),
        ("/admin/", 302, None),
        ("/admin/login/", 200, None),
    ],
)
def test_path_over_a_socket(server, path, status, body):
    response, content = fetch(server[0], path)
    assert response.status == status
    assert b"private" not in content
    assert body is None or content == body
    assert "evil" not in response.headers.get("location", "")


def test_head_over_a_socket(server):
    response, content = fetch(server[0], "/track/x", "HEAD")
    assert (response.status, content) == (200, b"")
    assert response.headers["content-length"] == str(len(PAGE))


def test_not_modified_over_a_socket(server):
    etag = fetch(server[0], "/track/x")[0].headers["etag"]
    response, content = fetch(server[0], "/track/x", **{"if-none-match": etag})
    assert (response.status, content) == (304, b"")


def test_switch_by_another_process_shows(server):
    connection, environ = server
    objects = {"releases/other/index.html": b"the other release"}
    document = RoutingDocument(environment="production", release="other").to_json()
    program = PREPARE.format(objects=objects, document=document).replace(
        "host:127.0.0.1", "host:switched.localhost"
    )
    assert b"Back soon" in fetch_host(connection, "switched.localhost")
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environ, check=True)
    connection.close()  # gunicorn may have closed it while the other process ran
    for _ in range(100):
        content = fetch_host(connection, "switched.localhost")
        if content == b"the other release":
            return
        time.sleep(0.05)
    pytest.fail("The switch did not show.")


def fetch_host(connection, host):
    connection.request("GET", "/", headers={"Host": host})
    return connection.getresponse().read()
