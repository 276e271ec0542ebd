"""An upstream that answers with what reached it."""

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.server.connections += 1

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        fields = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append(self.path)
        answer = json.dumps({"path": self.path, "headers": fields, "body": body}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *args):
        pass


@contextmanager
def echo():
    """Run it, and yield the server, which counts `connections` and keeps the paths `requests`."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        server.connections, server.requests = 0, []
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
