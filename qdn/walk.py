"""The walk over the demo site that `bin/demo --check` takes: from a booking to a rollback.

It uses HTTP as a customer and a dispatcher would. A step that gets an unexpected answer raises
WalkFailed.
"""

import json
import re
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings

from qdn import demonstration
from qdn.viewer import Answer, Visitor

STAGING_HOST = "staging.localhost"
# The edge may cache a document for 5 s after the task has published it.
PATIENCE_SECONDS = 30
OK, SEE_OTHER = 200, 303
MOVES = ["scheduled", "ready_for_pickup", "en_route", "in_progress", "completed"]
BOOKING = {
    "zip_code": "99709",
    "service": "junk",
    "load_size": "",
    "details": "Old couch and six boxes by the garage",
    "requested_day": "",
    "requested_time": "",
    "name": "Dana Whitfield",
    "phone": "907-456-0177",
    "email": "dana@example.com",
    "address_line": "88 Chena Ridge Road",
    "unit": "",
    "town": "Fairbanks",
    "access_notes": "Gate code 4411",
    "website": "",
}


class WalkFailed(Exception):
    """A step got an unexpected answer."""


class Walk:
    """One walk over a running site."""

    def __init__(self, *, site: str, say: Callable[[str], None]) -> None:
        self.visitor = Visitor(site)
        self.say = say
        self.surfaces = {name: surface["path"] for name, surface in settings.SURFACES.items()}

    def run(self) -> dict[str, Any]:
        """Run all steps; return both releases and the job's last status. Raises WalkFailed."""
        self._wait_for_server()
        token, number = self._book()
        self._dispatch(token, number)
        self._look_at_mark()
        return self._deploy(token)

    def _wait_for_server(self) -> None:
        def up() -> bool:
            try:
                return self.visitor.get("/healthz").status == OK
            except OSError:
                return False

        self._wait("the server answers", up)

    def _book(self) -> tuple[str, str]:
        self._expect_page("/book/")
        fields = {**BOOKING, "form_key": str(uuid.uuid4())}
        first = self.visitor.post("/book/request/", fields)
        self._expect(first.status == SEE_OTHER, f"booking: expected 303, got {first.status}")
        again = self.visitor.post("/book/request/", fields)
        self._expect(
            again.headers.get("location") == first.headers["location"],
            "sending the same form twice made two jobs",
        )
        token = first.headers["location"].rstrip("/").rpartition("/")[2]
        document = self._tracked(token, "requested")
        self.say(f"Booking accepted: {document['number']}; sending it again makes no second job")
        return token, document["number"]

    def _dispatch(self, token: str, number: str) -> None:
        login = {"username": demonstration.LOGIN, "password": demonstration.PASSWORD}
        answer = self.visitor.post_with_csrf("/admin/login/?next=/admin/", login)
        self._expect("sessionid" in self.visitor.cookies, f"admin login: {answer.status}")
        board = json.loads(self.visitor.get("/api/board").body)
        self.say(f"Dispatcher signed in; the board has {len(board['columns'])} columns")
        before = "requested"
        for status in MOVES:
            self._expect_tracking_pages(token, before)
            self._move(number, status)
            self._tracked(token, status)
            self._expect_tracking_pages(token, status)
            self.say(f"Tracking link 200: {before} -> {status}")
            before = status

    def _move(self, number: str, status: str) -> None:
        """Move the job with the action of the admin's job list, as a dispatcher would."""
        digits = number.removeprefix("QDN-")
        link = re.search(
            r"/admin/dispatch/job/(\d+)/change/",
            self.visitor.get(f"/admin/dispatch/job/?q={digits}").body,
        )
        self._expect(link is not None, f"the admin's search does not find {number}")
        answer = self.visitor.post_with_csrf(
            "/admin/dispatch/job/",
            {"action": f"move_to_{status}", "_selected_action": link.group(1) if link else ""},
        )
        self._expect(answer.status < 400, f"admin action: {answer.status}")  # noqa: PLR2004

    def _tracked(self, token: str, status: str) -> dict[str, Any]:
        """Wait until the public document shows a status."""
        seen: dict[str, Any] = {}

        def shows() -> bool:
            answer = self.visitor.get(f"/track/{token}.json")
            if answer.status == OK:
                seen.update(json.loads(answer.body))
            return seen.get("status") == status

        self._wait(f"the tracking document shows {status}", shows)
        return seen

    def _expect_tracking_pages(self, token: str, status: str) -> None:
        """Expect the tracking page, and the status on the page without JavaScript."""
        self._expect_page(f"/track/{token}")
        plain = self.visitor.get(f"/t/{token}/")
        self._expect(plain.status == OK, f"/t/: expected 200, got {plain.status}")
        self._expect(f'data-status="{status}"' in plain.body, f"/t/ does not show {status}")

    def _look_at_mark(self) -> None:
        link = demonstration.urls()["Mark's tracking link"]
        token = link.rpartition("/")[2]
        self._expect_page(f"/track/{token}")
        document = self._tracked(token, "ready_for_pickup")
        self._expect(document["price"] == "$600 all-in", f"Mark's price: {document['price']}")
        self.say(f"Mark's job: {document['label']}, {document['price']}, {document['area']}")

    def _deploy(self, token: str) -> dict[str, Any]:
        first = self._live_everywhere()
        surfaces = ", ".join(self.surfaces)
        self.say(f"Release A is live: x-amz-meta-release {first} on {surfaces}")
        with tempfile.TemporaryDirectory() as folder:
            self._write_next_site(Path(folder))
            second = self._manage("push", "--source", folder, "--message", "B")["release"]
        self._expect(second != first, "release B has the name of release A")
        self._expect_everywhere(second, host=STAGING_HOST)
        self._expect_release(f"/track-staging/{token}", second)
        self._expect_everywhere(first)
        self.say(f"B pushed: staging answers {second}, production still {first}, on every surface")
        self._manage("promote", "--yes")
        self._expect_everywhere(second)
        self.say(f"B promoted: production answers {second} on every surface")
        self._manage("rollback", first, "--yes")
        self._expect_everywhere(first)
        self.say(f"Rolled back to A: production answers {first} on every surface")
        return {"first": first, "second": second, "token_status": MOVES[-1]}

    def _write_next_site(self, folder: Path) -> None:
        """Download the live release's files as a viewer could, and change every page a little."""
        for row in json.loads(self.visitor.get("/manifest.json").body):
            path = folder / row["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            text = self.visitor.get(f"/{row['path']}").body
            is_page = path.suffix == ".html"
            path.write_text(text.replace("</body>", "<!-- B --></body>") if is_page else text)

    def _manage(self, *arguments: str) -> dict[str, Any]:
        command = [sys.executable, "manage.py", *arguments, "--json"]
        done = subprocess.run(  # noqa: S603 - our own commands
            command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False
        )
        self._expect(done.returncode == 0, f"{' '.join(arguments)}: {done.stderr.strip()}")
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def _live_everywhere(self) -> str:
        seen = {self.visitor.get(path).release for path in self.surfaces.values()}
        self._expect(len(seen) == 1 and seen != {""}, f"surfaces answer with {seen}")
        return seen.pop()

    def _expect_everywhere(self, release: str, *, host: str = "") -> None:
        for path in self.surfaces.values():
            self._expect_release(path, release, host=host)

    def _expect_release(self, path: str, release: str, *, host: str = "") -> None:
        def answers() -> bool:
            answer = self.visitor.get(path, host=host)
            return answer.status == OK and answer.release == release

        self._wait(f"{path} answers with {release}", answers)

    def _expect_page(self, path: str) -> Answer:
        answer = self.visitor.get(path)
        self._expect(answer.status == OK, f"expected 200, got {answer.status} for a page")
        return answer

    def _wait(self, what: str, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            self._expect(time.monotonic() < deadline, f"waited {PATIENCE_SECONDS} s for: {what}")
            time.sleep(0.2)

    def _expect(self, holds: bool, fault: str) -> None:
        if not holds:
            raise WalkFailed(fault)
