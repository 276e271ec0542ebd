"""What every part of the walk needs: a visitor, waiting, and the expectations it checks."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from qdn.viewer import Answer, Visitor

# The edge may cache a document for 5 s after the task has published it.
PATIENCE_SECONDS = 30
OK = 200


class WalkFailed(Exception):
    """A step got an unexpected answer."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The visitor who walks over the site, and what reports each step."""

    visitor: Visitor
    say: Callable[[str], None]

    def expect(self, holds: bool, fault: str) -> None:
        """Raise WalkFailed with `fault` unless it holds."""
        if not holds:
            raise WalkFailed(fault)

    def expect_page(self, path: str) -> Answer:
        """GET a page, which must answer 200."""
        answer = self.visitor.get(path)
        # Not which page: the path may have a link's token.
        self.expect(answer.status == OK, f"expected 200, got {answer.status} for a page")
        return answer

    def wait(self, what: str, holds: Callable[[], bool]) -> None:
        """Wait until it holds. Raises WalkFailed after PATIENCE_SECONDS."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            self.expect(time.monotonic() < deadline, f"waited {PATIENCE_SECONDS} s for: {what}")
            time.sleep(0.2)

    def tracked(self, token: str, status: str) -> dict[str, Any]:
        """Wait until a job's public document shows a status, and return the document."""
        seen: dict[str, Any] = {}

        def shows() -> bool:
            answer = self.visitor.get(f"/track/{token}.json")
            if answer.status == OK:
                seen.update(json.loads(answer.body))
            return seen.get("status") == status

        self.wait(f"the tracking document shows {status}", shows)
        return seen

    def manage(self, *arguments: str) -> dict[str, Any]:
        """Run a command of ours with --json and return its answer."""
        command = [sys.executable, "manage.py", *arguments, "--json"]
        done = subprocess.run(  # noqa: S603 - our own commands
            command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False
        )
        self.expect(done.returncode == 0, f"{' '.join(arguments)}: {done.stderr.strip()}")
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer
