"""A gunicorn worker whose threads never wait for a viewer.

gunicorn's gthread worker receives a request in a thread, without a time limit, so as many stalled
requests as there are threads stop the site; and it waits in its event loop, 2 seconds each, for
viewers to close connections that it has ended. This worker receives requests in the event loop,
with limits on size and time, and lets a thread have a request once all of it has arrived.
"""

import socket
import struct
import time
from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial
from selectors import EVENT_READ
from typing import Any

from django.conf import settings
from gunicorn.http.errors import NoMoreData
from gunicorn.http.parser import RequestParser
from gunicorn.workers.gthread import ThreadWorker

from qdn.arriving_request import LINGER_SECONDS, ArrivingRequest, RequestRefused
from qdn.large_bodies import check_large_body

RECEIVE_BYTES = 64 * 1024


class WholeRequestWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """gthread, but a request comes to a thread as a whole.

    gunicorn's setting `timeout` is also the number of seconds that a request can take to arrive,
    and for which a viewer can take nothing of its answer; then the connection is closed. All
    methods but `handle_request` run in gunicorn's event loop.
    """

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        super().check_config(cfg, log)
        if cfg.is_ssl or cfg.protocol != "http" or cfg.proxy_protocol != "off":
            raise RuntimeError(  # gunicorn prints its text and ends
                "This worker speaks plain HTTP. Let a proxy in front of it handle TLS; remove "
                "certfile, keyfile, protocol and proxy_protocol from gunicorn's settings."
            )

    def enqueue_req(self, conn: Any) -> None:
        """Receive from a connection that is new or became readable."""
        try:
            if getattr(conn, "lingers", False):
                self._discard(conn)
            else:
                self._receive(conn)
        except RequestRefused as refused:
            self._refuse(conn, refused)
        except OSError:  # the viewer is gone
            self._drop(conn)

    def finish_request(self, conn: Any, fs: "Future[object]") -> None:
        """Keep or end a connection when a thread is done with it."""
        if not fs.cancelled() and (fs.exception() or fs.result()):
            super().finish_request(conn, fs)
        else:
            self._end(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request, in a thread."""
        try:
            return super().handle_request(req, conn)
        except BlockingIOError:
            self.log.info("A viewer took nothing of its answer for %s s.", self.cfg.timeout)
            return False

    def murder_pending(self) -> None:
        """Drop connections whose time is up."""
        now = time.monotonic()
        for conn in [conn for conn in self.pending_conns if conn.timeout <= now]:
            self.pending_conns.remove(conn)
            self.poller.unregister(conn.sock)
            self._drop(conn)

    def _receive(self, conn: Any) -> None:
        request = getattr(conn, "arriving", None)
        if request is None:
            request = conn.arriving = self._begin(conn)
        if not request.is_whole():
            try:
                data = conn.sock.recv(RECEIVE_BYTES, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return self._wait(conn, request.deadline)
            if not data or time.monotonic() > request.deadline:
                return self._drop(conn)
            request.add(data)
        if not request.is_whole():
            return self._wait(conn, request.deadline)
        return self._hand_over(conn, request)

    def _begin(self, conn: Any) -> ArrivingRequest:
        if conn.parser is None:
            timeval = struct.pack("ll", self.cfg.timeout, 0)
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval)
        return ArrivingRequest(
            # After the previous request, its parser may hold the beginning of this one.
            conn.parser.unreader.take_buffered() if conn.parser else b"",
            body_bytes=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
            deadline=time.monotonic() + self.cfg.timeout,
            check_large=check_large_body,
        )

    def _hand_over(self, conn: Any, request: ArrivingRequest) -> None:
        """Let a thread parse and answer a request. It has the bytes, and does not read more."""
        conn.arriving = None
        conn.parser = RequestParser(self.cfg, _only(request), conn.client)
        conn.initialized = conn.data_ready = True
        super().enqueue_req(conn)

    def _refuse(self, conn: Any, refused: RequestRefused) -> None:
        self.log.info("Refused a request from %s: %s", conn.client, refused)
        try:
            conn.sock.send(refused.answer, socket.MSG_DONTWAIT)
        except OSError:
            self._drop(conn)
        else:
            self._end(conn, refused.linger_seconds)

    def _end(self, conn: Any, linger_seconds: float = LINGER_SECONDS) -> None:
        """Close a connection after the viewer has, without waiting for that here."""
        conn.lingers = True
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(conn)
        else:
            self._wait(conn, time.monotonic() + linger_seconds)

    def _discard(self, conn: Any) -> None:
        if conn.sock.recv(RECEIVE_BYTES, socket.MSG_DONTWAIT):
            self._wait(conn, conn.timeout)
        else:
            self._drop(conn)

    def _wait(self, conn: Any, until: float) -> None:
        """Call enqueue_req again when the connection is readable; drop it at a time."""
        conn.timeout = until
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def _drop(self, conn: Any) -> None:
        self.nr_conns -= 1
        conn.close()


def _only(request: ArrivingRequest) -> Iterator[bytes]:
    """Return a source for gunicorn's parser. Reading beyond the request ends the connection."""
    yield from request.content()
    raise NoMoreData()
