"""Runs the project under gunicorn as in production, and sends it bytes that clients would not."""

import http.client
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 30  # seconds; generous, because the machine may be busy
STALLED_BODY = (
    b"POST /book/request/ HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\nname=A"
)
STALLED_HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\nCookie: a"
NO_BYTES = b""
ENDED = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class Server(NamedTuple):
    port: int
    process: subprocess.Popen

    def stop(self):
        self.process.terminate()


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes


@contextmanager
def gunicorn(environ, *options):
    """Run the project with qdn/gunicorn.conf.py, and yield it."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        port = listener.getsockname()[1]
        command = [
            sys.executable, "-m", "gunicorn", "-c", "qdn/gunicorn.conf.py",
            "--bind", f"fd://{listener.fileno()}", *options,
        ]  # fmt: skip
        process = subprocess.Popen(command, cwd=ROOT, env=environ, pass_fds=[listener.fileno()])
    server = Server(port, process)
    try:
        fetch(port, "/healthz")
        yield server
    finally:
        server.stop()
        process.wait(timeout=2 * DEADLINE)


def fetch(
    port, path, *, method="GET", body=None, headers=(), connect=HTTPConnection, timeout=DEADLINE
):
    """Send a request on a connection of its own and return the answer."""
    with closing(connect("127.0.0.1", port, timeout=timeout)) as connection:
        connection.request(method, path, body, {"Host": "localhost", **dict(headers)})
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())


def send(port, data):
    """Open a connection and send some bytes."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
    connection.sendall(data)
    return connection


def receive(connection):
    """Receive until the server closes the connection."""
    received = b""
    while data := connection.recv(65536):
        received += data
    return received


@contextmanager
def stalled(port, *kinds, each=64):
    """Open connections that begin a request and stop; yield them."""
    connections = [send(port, kind) for kind in kinds for _ in range(each)]
    try:
        yield connections
    finally:
        for connection in connections:
            connection.close()


def is_closed(connection):
    """Whether the server closes a connection before the deadline."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def wait_until(condition, what):
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, f"{what} did not happen within {DEADLINE} s"
        time.sleep(0.05)
