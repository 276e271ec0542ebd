"""An HTTP proxy between boto3 and the stand-in: it writes down every request, and spoils some."""

import http.client
import socket
import struct
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

_HOP_BY_HOP = {"connection", "proxy-connection", "keep-alive", "transfer-encoding", "expect"}


@dataclass(frozen=True)
class Seen:
    """A request as it went by: `path` is decoded, without the account's part of it."""

    method: str
    path: str
    body: bytes

    @property
    def writes_keys(self):
        return self.method == "POST" and self.path.endswith("/keys")


@dataclass
class Fault:
    """Spoils the request with the number `at` (from 1), and the following ones while `lasting`.

    Only requests for which `when` holds are counted. `spoil` is called with the handler instead
    of the ordinary forwarding.
    """

    at: int
    spoil: object
    lasting: bool = False
    when: object = lambda request: True
    counted: int = 0
    met: int = 0

    def strikes(self, request):
        if not self.when(request):
            return False
        self.counted += 1
        struck = self.counted >= self.at if self.lasting else self.counted == self.at
        self.met += struck
        return struck


@dataclass
class Proxy:
    """The requests since `clear`, and the fault in force. `changes` counts all but reads.

    Every answer is held back for `latency` seconds. `spans` are the requests' begins and ends.
    """

    port: int = 0
    latency: float = 0
    spans: list = field(default_factory=list)
    changes: int = 0
    seen: list = field(default_factory=list)
    fault: Fault | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def clear(self, fault=None):
        with self.lock:
            self.seen, self.spans, self.fault = [], [], fault

    @property
    def round_trips(self):
        """How many requests had to wait for an earlier one's answer: the longest chain of them.

        Needs a latency, so that requests which may overlap do.
        """
        count, free = 0, 0.0
        for begin, end in sorted(self.spans, key=lambda span: span[1]):
            if begin >= free:
                count, free = count + 1, end
        return count

    def strikes(self, request):
        with self.lock:
            self.seen.append(request)
            fault = self.fault
            return fault if fault and fault.strikes(request) else None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = unquote(urlsplit(self.path).path)
        begin = time.monotonic()
        fault = self.server.proxy.strikes(Seen(self.command, path, body))
        if fault:
            fault.spoil(self, body)
        else:
            self.forward(body, begin)

    # As http.server calls them.
    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any  # noqa: N815

    def forward(self, body, begin=0.0):
        answer = self.ask(body)
        proxy = self.server.proxy
        time.sleep(proxy.latency)
        proxy.spans.append((begin, time.monotonic()))
        self.answer(*answer)

    def setup(self):
        super().setup()
        self.behind = http.client.HTTPConnection("127.0.0.1", self.server.behind, timeout=30)

    def finish(self):
        super().finish()
        self.behind.close()

    def ask(self, body):
        """Pass the request on; give status, headers and body of the answer."""
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP_BY_HOP}
        self.behind.request(self.command, self.path, body=body, headers=headers)
        response = self.behind.getresponse()
        content = response.read()
        self.server.proxy.changes += self.command not in ("GET", "HEAD")
        return response.status, response.getheaders(), content

    def answer(self, status, headers, body):
        self.send_response_only(status)
        given = {name.lower() for name, _ in headers}
        for name, value in headers:
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        if "content-length" not in given:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    # A push opens hundreds of connections at once; what the queue has no room for is reset.
    request_queue_size = 512


@contextmanager
def running(behind):
    """Run a proxy in front of the port `behind`, in a thread."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.behind = behind
    server.proxy = Proxy(port=server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.proxy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# Ways to spoil a request


def reset(handler, body):
    """Cut the connection before the request gets there."""
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.close_connection = True
    handler.connection.close()


def lose_answer(handler, body):
    """Let the request be carried out, and cut the connection instead of answering."""
    handler.ask(body)
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def hang(handler, body):
    """Let the request be carried out, and keep silent until the client has given up."""
    handler.ask(body)
    handler.connection.settimeout(30)
    handler.close_connection = True
    handler.connection.recv(1)  # ends when the client closes


def answering(status, code):
    """Answer with an error; nothing is carried out."""

    def spoil(handler, body):
        text = f"<Error><Code>{code}</Code><Message>injected</Message></Error>".encode()
        headers = [("Content-Type", "application/xml"), ("x-amzn-ErrorType", code)]
        handler.answer(status, headers, b"" if handler.command == "HEAD" else text)

    return spoil


def others_first(change):
    """Let somebody else write the key-value store just before this request."""

    def spoil(handler, body):
        change()
        handler.forward(body)

    return spoil
