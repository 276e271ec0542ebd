"""Raw requests to a WSGI application in this process, put together as gunicorn does."""

import io
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from django.contrib.auth.models import User
from django.test import Client

# Both halves of the CSRF check, so that a POST reaches the view behind it.
CSRF_TOKEN = "a" * 32


@dataclass(frozen=True)
class Request:
    """`target` is the request line's target as sent; `body` is sent with its length."""

    target: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = (("Host", "localhost"),)
    body: bytes = b""
    role: str = "anonymous"

    def __str__(self):
        head = [f"{self.method} {_short(self.target)} as {self.role}"]
        head += [f"{name}: {_short(value)}" for name, value in self.headers if name != "Cookie"]
        return "\n    ".join([*head, repr(self.body[:400])] if self.body else head)


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    @property
    def text(self):
        """Everything that reaches the client: status line, headers and body."""
        head = "\n".join(f"{name}: {value}" for name, value in self.headers)
        return f"{self.status}\n{head}\n\n{self.body.decode(errors='replace')}"


def ask(application, request: Request) -> Answer:
    """Send a request. An exception of the application propagates: it would be a bare 500."""
    seen: list[tuple[int, list[tuple[str, str]]]] = []

    def start_response(status, headers, exc_info=None):
        seen[:] = [(int(status.split()[0]), headers)]

    result = application(_environ(request), start_response)
    try:
        body = b"".join(result)
    finally:
        if hasattr(result, "close"):
            result.close()
    ((status, headers),) = seen
    return Answer(status, headers, body)


def _environ(request: Request) -> dict:
    path, _, query = request.target.partition("?")
    environ = {
        "REQUEST_METHOD": request.method,
        "RAW_URI": request.target,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "REMOTE_ADDR": "192.0.2.7",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.version": (1, 0),
    }
    for name, value in request.headers:
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        # gunicorn joins repeated headers.
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    environ.setdefault("CONTENT_LENGTH", str(len(request.body)))
    return environ


def session_of(user: User) -> str:
    """Sign a user in; return the key of the session."""
    client = Client()
    client.force_login(user)
    return str(client.session.session_key)


def _short(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:300]}... ({len(text)} characters)"
