"""A server on this machine that hooks call. It answers as it is asked to, and keeps requests."""

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, dict(self.headers), body))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        if status == "silent":
            self.rfile.read()  # until the client leaves
            return
        self.send_response(status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(self.server.text)

    def log_message(self, *args):
        pass


class Receiver(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests, self.statuses, self.text = [], [], b"noted"
        self.url = f"http://127.0.0.1:{self.server_port}/hook?key=1"

    @property
    def payloads(self):
        return [json.loads(body) for _, _, body in self.requests]

    def handle_error(self, request, client_address):
        pass  # a client that has left


@contextmanager
def receiver():
    """Run it in a thread, and yield it."""
    with Receiver() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
