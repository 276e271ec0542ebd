"""The walk over the demo site that `bin/demo --check` takes: from a booking to a rollback.

It uses HTTP as a customer and a dispatcher would. A step that gets an unexpected answer raises
WalkFailed.
"""

from collections.abc import Callable
from typing import Any

from qdn.viewer import Visitor
from qdn.walk.booking import BOOKING, INSTANT, book, book_window
from qdn.walk.deploying import deploy
from qdn.walk.dispatching import LAST_STATUS, look_at_mark, work_the_day
from qdn.walk.reading import read_confirmation
from qdn.walk.steps import OK, Steps, WalkFailed

__all__ = ["WalkFailed", "walk"]


def walk(*, site: str, say: Callable[[str], None]) -> dict[str, Any]:
    """Walk over a running site; return both releases and the job's last status.

    Raises WalkFailed.
    """
    steps = Steps(Visitor(site), say)
    _wait_for_server(steps)
    token, number = book(steps)
    read_confirmation(steps, to=BOOKING["email"], number=number, token=token)
    booked_token, booked = book_window(steps)
    read_confirmation(steps, to=INSTANT["email"], number=booked, token=booked_token)
    work_the_day(steps, token, number)
    look_at_mark(steps)
    first, second = deploy(steps, token)
    return {"first": first, "second": second, "token_status": LAST_STATUS}


def _wait_for_server(steps: Steps) -> None:
    def up() -> bool:
        try:
            return steps.visitor.get("/healthz").status == OK
        except OSError:
            return False

    steps.wait("the server answers", up)
