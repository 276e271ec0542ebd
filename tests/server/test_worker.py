"""Slow and stalled viewers do not hold the threads of gunicorn. The worker is a real one.

Each of these kinds stops gunicorn's own gthread worker at a few dozen connections.
"""

import socket
import subprocess
import sys
import time
from contextlib import closing
from http.client import HTTPConnection

import pytest

from qdn.arriving_request import HEAD_BYTES
from tests.server.servers import (
    DEADLINE,
    ENDED,
    NO_BYTES,
    ROOT,
    STALLED_BODY,
    STALLED_HEAD,
    fetch,
    gunicorn,
    is_closed,
    receive,
    send,
    stalled,
    wait_until,
)

KINDS = {"heads": STALLED_HEAD, "bodies": STALLED_BODY, "nothing": NO_BYTES, "ended": ENDED}
FORM = b"name=Ann&website=&form_key="
LARGEST = 1024 * 1024
LARGE_FILE = "/static/unfold/css/styles.css"


@pytest.fixture(scope="module")
def impatient(installation):
    """Return the port of one process that gives a viewer 2 seconds."""
    with gunicorn(installation.environ, "--workers=1", "--timeout=2") as server:
        yield server.port


@pytest.mark.parametrize("kinds", [[kind] for kind in KINDS] + [["heads", "bodies"]], ids="+".join)
def test_stalled_viewers_hold_nobody_up(web, kinds):
    with stalled(web, *(KINDS[kind] for kind in kinds)) as connections:
        # Every answer arrives while the others stall: the stalled ones are not through before.
        for _ in range(5):
            for path in ("/", "/healthz", "/static/site/site.css"):
                assert fetch(web, path).status == 200, path
        if "ended" not in kinds:
            assert not any(is_readable(connection) for connection in connections)


def is_readable(connection):
    connection.setblocking(False)
    try:
        connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    return True


def test_stalled_request_is_dropped_after_a_while(impatient):
    with stalled(impatient, STALLED_HEAD, STALLED_BODY, NO_BYTES, each=2) as connections:
        assert all(is_closed(connection) for connection in connections)


def test_trickling_does_not_extend_the_time(impatient):
    with send(impatient, STALLED_HEAD) as trickling:

        def is_dropped():
            try:
                trickling.sendall(b"a")
            except OSError:
                return True
            return False

        wait_until(is_dropped, "the end of a connection that sends a byte now and then")


def test_viewer_that_takes_no_answer_frees_its_thread(installation):
    options = ["--workers=1", "--threads=1", "--timeout=2"]
    with gunicorn(installation.environ, *options) as server, socket.socket() as greedy:
        greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        greedy.connect(("127.0.0.1", server.port))
        # More answers than the kernel holds for one connection.
        answer = len(fetch(server.port, LARGE_FILE).body)
        one = f"GET {LARGE_FILE} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        greedy.sendall(one * (16 * LARGEST // answer))
        time.sleep(0.5)
        assert fetch(server.port, "/healthz").status == 200


def test_request_in_many_pieces(web):
    with send(web, b"") as slow:
        for byte in ENDED:
            slow.sendall(bytes([byte]))
        assert receive(slow).startswith(b"HTTP/1.1 200 ")


def test_several_requests_on_one_connection(web):
    body = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n" % len(FORM)
    post = b"POST /book/request/ HTTP/1.1\r\nHost: localhost\r\n" + body + b"\r\n" + FORM
    get = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
    last = get + b"Connection: close\r\n\r\n"
    with send(web, get + b"\r\n" + post + post + get + b"\r\n" + last[:30]) as connection:
        connection.sendall(last[30:])
        received = receive(connection)
    statuses = [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [200, 422, 422, 200, 200]


def test_body_that_the_application_does_not_read(web):
    """The edge answers before Django; the rest of the connection is still in order."""
    post = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(FORM)
    with send(web, post + FORM + ENDED) as connection:
        first, second = receive(connection).split(b"HTTP/1.1 ")[1:]
    assert (first[:3], second[:3]) == (b"403", b"200")


def test_body_that_ends_early_is_not_booked(web):
    with send(web, STALLED_BODY) as connection:
        connection.shutdown(socket.SHUT_WR)
        assert receive(connection) == b""


def test_largest_body(web):
    too_long = fetch(web, "/book/request/", method="POST", body=b"a" * LARGEST)
    assert too_long.status == 422


@pytest.mark.parametrize("sent", [0, 300_000, 3 * LARGEST], ids=lambda sent: f"{sent} bytes")
def test_larger_body_is_refused_whole_or_not(web, sent):
    head = b"POST /book/request/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
    with send(web, head % (3 * LARGEST)) as connection:
        connection.sendall(b"a" * sent)
        answer = receive(connection)
    assert answer.startswith(b"HTTP/1.1 413 Content Too Large\r\n")
    assert answer.endswith(b"A request can have 1,024 KB; this one has 3,072 KB. Send less text.\n")


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET / HTTP/1.1\r\nCookie: " + b"a" * HEAD_BYTES, b"431"),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: nine\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde", b"400"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"\r\n\r\n", b"400"),
    ],
)
def test_requests_that_are_refused(web, request_bytes, status):
    with send(web, request_bytes) as connection:
        assert receive(connection)[:12] == b"HTTP/1.1 " + status


def test_large_body_that_arrives_slowly(web):
    """It is larger than a read and than the kernel's buffer."""
    body = b"notes=" + b"a" * (LARGEST - 6)
    head = b"POST /book/request/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    form = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n"
    with send(web, head + form % len(body)) as connection:
        for start in range(0, len(body), 100_000):
            connection.sendall(body[start : start + 100_000])
        assert receive(connection).startswith(b"HTTP/1.1 422 ")


def test_stopping_server_answers_a_request_that_is_arriving(installation):
    with (
        gunicorn(installation.environ, "--workers=1") as server,
        closing(HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE)) as other,
        send(server.port, ENDED[:20]) as half,
    ):

        def is_stopping():
            other.request("GET", "/healthz")
            response = other.getresponse()
            response.read()
            return response.headers["Connection"] == "close"

        assert not is_stopping()
        server.stop()
        wait_until(is_stopping, "a stop")
        half.sendall(ENDED[20:])
        assert receive(half).startswith(b"HTTP/1.1 200 ")


def test_tls_is_left_to_a_proxy(installation):
    options = ["--certfile", "tests/aws/localhost.pem", "--keyfile", "tests/aws/localhost.pem"]
    command = [sys.executable, "-m", "gunicorn", "-c", "qdn/gunicorn.conf.py", *options]
    done = subprocess.run(
        [*command, "--bind=127.0.0.1:0"],
        cwd=ROOT,
        env=installation.environ,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 1
    assert "Let a proxy in front of it handle TLS" in done.stderr
