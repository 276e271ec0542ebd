"""The board's page, served over a stand-in for its endpoints (offices.py)."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from django.conf import settings

from deployments.releases.build import collected_assets, render_surface
from edge.behaviours import CONTENT_SECURITY_POLICY
from tests.pages.offices import TODAY, Office, Refusal


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def office(self):
        return self.server.office

    def log_message(self, format, *args):  # noqa: A002 - its own name for it
        """Say nothing."""

    def answer(self, status, body=b"", kind="application/json", **headers):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            **headers,
        }.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if status != 304:
            self.wfile.write(body)

    def do_GET(self):
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path in self.server.files:
            body, kind = self.server.files[url.path]
            return self.answer(200, body, kind, Content_Security_Policy=CONTENT_SECURITY_POLICY)
        if not url.path.startswith("/api/"):
            return self.answer(200, b"<h1>Office</h1>", "text/html")
        if self.office.down:
            return self.answer(503, b"<h1>Down</h1>", "text/html")
        if not self.office.signed_in:
            return self.answer(401, {"error": "Log in.", "login": "/admin/login/?next=/dashboard/"})
        return self.read(url.path, query)

    def read(self, path, query):
        if path == "/api/board":
            return self.board(query.get("day", TODAY))
        if path == "/api/board/search":
            return self.answer(200, self.office.search(query["q"]))
        return self.answer(200, self.office.job(int(path.rsplit("/", 1)[1])))

    def board(self, day):
        with self.office.lock:
            etag = f'"{day}-{self.office.stamp}-{self.office.may_change}"'
            same = self.headers["If-None-Match"] == etag
            self.office.polls.append(304 if same else 200)
            if same:
                return self.answer(304, ETag=etag)
            return self.answer(200, self.office.board(day), ETag=etag, X_CSRFToken="token-2")

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        actor = "olga" if "olga" in (self.headers["Cookie"] or "") else "dana"
        if not self.office.signed_in:
            return self.answer(401, {"error": "Log in.", "login": "/admin/login/"})
        if self.headers["X-CSRFToken"] != "token-2":
            return self.answer(403, {"code": "csrf", "error": "Old token.", "hint": "Load again."})
        try:
            return self.answer(200, self.office.act(body, actor))
        except Refusal as refusal:
            return self.answer(refusal.status, refusal.body)


def built_files():
    """Build the board's page and its static files, as a release has them; by path."""
    kinds = {"js": "text/javascript", "css": "text/css", "html": "text/html; charset=utf-8"}
    with collected_assets() as assets:
        page = render_surface(settings.SURFACES["dashboard"], assets)
        files = {f"/{file.artifact.path}": file.body for file in assets.files()}
    pages = {"/dashboard/": (page, kinds["html"]), "/photo.png": (b"", "image/png")}
    named = {
        path: (body, kinds.get(path.rsplit(".", 1)[1], "text/plain"))
        for path, body in files.items()
    }
    return named | pages


def start_server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.files = built_files()
    server.url = f"http://127.0.0.1:{server.server_port}"
    server.office = Office()
    Thread(target=server.serve_forever, daemon=True).start()
    return server
