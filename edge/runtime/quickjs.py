"""CloudFront's function runtime in QuickJS, in this process.

Each thread has a context that runs the function with CloudFront's 2 MB of memory and a time limit.
prelude.js explains how the function gets values and digests, and why its run is repeated for them.

Known differences from CloudFront: a context serves many requests, so a function must not keep state
in its own variables; `Buffer`, `querystring` and digests without an encoding are missing.
"""

import base64
import hashlib
import hmac
import json
import re
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import quickjs

from edge.errors import FunctionFailed
from edge.runtime.event import ViewerRequest
from edge.runtime.results import (
    FIX_HINT,
    Generated,
    Rewritten,
    check_outcome,
    check_rewritten,
)

MEMORY_BYTES = 2 * 1024 * 1024  # the developer guide, "Quotas on CloudFront Functions"
TIME_LIMIT_SECONDS = 0.5  # CPU time of the process; CloudFront allows about a millisecond
STACK_BYTES = 256 * 1024
# Every question of the function repeats its run, so the number of questions is limited.
MAX_ROUNDS = 32

_encode = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode
_PRELUDE = (Path(__file__).parent / "prelude.js").read_text(encoding="utf-8")
_IMPORT = re.compile(r"""^import\s+(\w+)\s+from\s+(['"])(cloudfront|crypto)\2;?[ \t]*$""", re.M)


class EdgeFunction:
    """One function, ready to run in any thread."""

    def __init__(self, source: str) -> None:
        """Compile it. Raises FunctionFailed for a syntax error, with its line."""
        self._program = _wrapped(source)
        self._local = threading.local()
        self._context()

    def run(
        self,
        event: Mapping[str, Any],
        keyvalues: Mapping[str, str],
        *,
        version: str = "",
        now: float | None = None,
    ) -> Rewritten | Generated:
        """Run it on one event of any form that CloudFront's TestFunction accepts.

        `version` is the ETag of the key-value store: values are read once and kept until it
        changes; with '' none are kept. `now` is in Unix seconds. Raises FunctionFailed (viewers
        get 503) and FunctionInvalid (502).
        """
        return self._run("__event", (_encode(event), _milliseconds(now)), keyvalues, version)

    def run_request(
        self,
        request: ViewerRequest,
        keyvalues: Mapping[str, str],
        *,
        version: str = "",
        now: float | None = None,
    ) -> Rewritten | Generated:
        """Run it on a viewer's request. The result is the same as for its event, but faster."""
        return self._run("__request", (_milliseconds(now), *request.flat()), keyvalues, version)

    def _run(
        self, door: str, arguments: tuple[Any, ...], keyvalues: Mapping[str, str], version: str
    ) -> Rewritten | Generated:
        context = self._context()
        try:
            context.use(version)
            text = context.outcome(door, arguments, keyvalues)
        except (quickjs.JSException, UnicodeError) as error:
            # Out of time, memory or stack, or text that is not Unicode. The context's state is
            # unknown now, so it is discarded.
            self._local.context = None
            raise _failed(str(error)) from None
        if text.startswith("/"):
            return check_rewritten(text)
        return check_outcome(json.loads(text))

    def logs(self) -> list[str]:
        """Return the lines that this thread's last run wrote with console.log."""
        return self._context().logs()

    def _context(self) -> "_Context":
        context: _Context | None = getattr(self._local, "context", None)
        if context is None:
            context = self._local.context = _Context(self._program)
        return context


class _Context:
    """A QuickJS context with one function, for one thread."""

    def __init__(self, program: str) -> None:
        self._js = quickjs.Context()
        self._js.set_memory_limit(MEMORY_BYTES)
        self._js.set_max_stack_size(STACK_BYTES)
        self._js.set_time_limit(TIME_LIMIT_SECONDS)
        try:
            self._js.eval(_PRELUDE)
            self._js.eval(program)
        except quickjs.JSException as error:
            raise _failed(str(error)) from None
        self._get = self._js.get
        self._doors = {name: self._get(name) for name in ("__event", "__request")}
        self._answer, self._forget = self._get("__answer"), self._get("__forget")
        self._wanted, self._logs = self._get("__wanted"), self._get("__logs")
        self._version = ""

    def use(self, version: str) -> None:
        """Forget the values that were read from another version of the store."""
        if not version or version != self._version:
            self._forget()
            self._version = version

    def logs(self) -> list[str]:
        """Return the lines that the last run logged."""
        lines: list[str] = json.loads(self._logs())
        return lines

    def outcome(self, door: str, arguments: tuple[Any, ...], keyvalues: Mapping[str, str]) -> str:
        """Run and answer questions until the function ends; return the prelude's output."""
        for _ in range(MAX_ROUNDS):
            text = self._one_run(door, arguments)
            if not text.startswith('{"wanted"'):
                return text or '{"error":"it waited for a promise that never resolved"}'
            for question in json.loads(text)["wanted"]:
                self._answer("\0".join(question), _answer_to(question, keyvalues))
        return '{"error":"it asked for too many keys and digests"}'

    def _one_run(self, door: str, arguments: tuple[Any, ...]) -> str:
        self._doors[door](*arguments)
        # Checking after every job instead of draining them saves a call, and each call into
        # QuickJS releases the interpreter lock.
        text: str = self._get("__outcome")
        while not text and self._js.execute_pending_job():
            text = self._get("__outcome")
        return text or self._wanted()


def _answer_to(question: list[str], keyvalues: Mapping[str, str]) -> str | None:
    if question[0] == "get":
        return keyvalues.get(question[1])
    if question[0] == "meta":
        return json.dumps({"keyCount": len(keyvalues)})
    _, algorithm, encoding, kind, secret, text = question
    if kind == "plain":
        digest = hashlib.new(algorithm, text.encode(), usedforsecurity=False).digest()
    else:
        digest = hmac.digest(secret.encode(), text.encode(), algorithm)
    if encoding == "hex":
        return digest.hex()
    if encoding == "base64":
        return base64.b64encode(digest).decode()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _wrapped(source: str) -> str:
    """Turn a module into a script, line by line, so that errors name the right line."""
    body = _IMPORT.sub(r'const \1 = __modules["\3"];', source)
    return f"__load(function (__modules) {{ 'use strict'; {body}\nreturn handler; }})"


def _milliseconds(now: float | None) -> float:
    # QuickJS passes integers as 32 bits, so this is a float.
    return float(time.time() if now is None else now) * 1000


def _failed(message: str) -> FunctionFailed:
    return FunctionFailed(f"The edge function failed: {message.strip()}", FIX_HINT)
