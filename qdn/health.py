"""/healthz, whether the process is alive, and /readyz, whether it can serve.

Load balancers probe by IP address, so both are answered before Django looks at the Host header.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from django.db import connections
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from qdn.readiness import PARTS, Part, Reading, routing_report

logger = logging.getLogger(__name__)

# All parts together. Most load balancers wait 5 seconds or more.
DEADLINE_SECONDS = 2.0
# Anyone can ask, so a report serves all that ask within this time.
KEEP_SECONDS = 1.0
UNAVAILABLE = 503
HANGING = Reading(ok=False, facts={"problem": "no answer in time"})
FAILED = Reading(ok=False, facts={"problem": "failed; see the log"})
View = Callable[[HttpRequest], HttpResponse]


class Watch:
    """Reads one part in a thread of its own, so that it can hang without delaying the others."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self._reading = HANGING
        self._thread = threading.Thread()
        self._was_ok = True

    def start(self) -> None:
        """Begin to read, unless an earlier reading still hangs: at most one thread does."""
        if not self._thread.is_alive():
            self._reading = HANGING
            self._thread = threading.Thread(target=self._read, daemon=True)
            self._thread.start()

    def finish(self, seconds: float) -> Reading:
        """Return the reading, or HANGING if it takes longer."""
        self._thread.join(timeout=max(seconds, 0))
        reading = HANGING if self._thread.is_alive() else self._reading
        if self._was_ok and reading is HANGING:
            logger.warning("/readyz: %s did not answer in time.", self.part.name)
        self._was_ok = reading.ok
        return reading

    def _read(self) -> None:
        try:
            self._reading = self.part.read()
        except Exception as error:  # any fault of a part is a finding
            self._reading = FAILED
            if self._was_ok:
                logger.warning("/readyz: %s: %s", self.part.name, " ".join(str(error).split()))
        finally:
            connections.close_all()


class Readiness:
    """The report on all parts, made at most once in KEEP_SECONDS."""

    def __init__(self, parts: Iterable[Part], *, deadline: float = DEADLINE_SECONDS) -> None:
        self._watches = [Watch(part) for part in parts]
        self._deadline = deadline
        self._lock = threading.Lock()
        self._report: dict[str, Any] = {}
        self._made_at = float("-inf")

    def report(self) -> dict[str, Any]:
        """Return {"ready": bool, "parts": {name: {"ok": bool, "needed": bool, ...facts}}}."""
        # While one request makes a report, the others take the last one, if there is one.
        if self._lock.acquire(blocking=not self._report):
            try:
                if time.monotonic() - self._made_at > KEEP_SECONDS:
                    self._report = self._made()
                    self._made_at = time.monotonic()
            finally:
                self._lock.release()
        return self._report

    def _made(self) -> dict[str, Any]:
        end = time.monotonic() + self._deadline
        for watch in self._watches:
            watch.start()
        parts = {}
        for watch in self._watches:
            reading = watch.finish(end - time.monotonic())
            needed = watch.part.is_needed()
            parts[watch.part.name] = {"ok": reading.ok, "needed": needed, **reading.facts}
        ready = all(part["ok"] or not part["needed"] for part in parts.values())
        return {"ready": ready, "parts": parts}


_readiness = Readiness(PARTS)


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Say that the process answers. It looks at nothing else: a restart would not repair it."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Report on each part; 503 if one that is needed is not fine."""
    report = _readiness.report()
    report = {**report, "parts": report["parts"] | routing_report(request.META)}
    return JsonResponse(report, status=200 if report["ready"] else UNAVAILABLE)


VIEWS: dict[str, View] = {"/healthz": healthz, "/readyz": readyz}


def answer_probes(get_response: View) -> View:
    """Middleware, the first: answers both addresses, and hands everything else on."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return VIEWS.get(request.path_info, get_response)(request)

    return middleware
