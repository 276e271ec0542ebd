"""A day on the walk: a job planned in the office, done by its crew and reported to the owner."""

import csv
import json
import re
import uuid
from datetime import UTC, datetime
from io import StringIO
from typing import Any
from urllib.parse import urlencode

from django.utils import timezone

from dispatch.demo import CREWS
from qdn import demonstration
from qdn.walk.steps import OK, Steps

# What the crew taps, and the status that the customer sees then.
TAPS = [
    ("on_the_way", "en_route"),
    ("arrived", "en_route"),
    ("loading", "in_progress"),
    ("done", "completed"),
]
LAST_STATUS = TAPS[-1][1]


def work_the_day(steps: Steps, token: str, number: str) -> None:
    """Sign in, plan the job, let its crew do it, and read the owner's report."""
    _sign_in(steps)
    before = _completed_today(steps)
    _schedule(steps, token, number)
    board = _assign(steps, number)
    _do_as_crew(steps, token, number, board)
    closed = _board(steps)
    steps.expect(_job_in(closed, "done", number) is not None, f"{number} is not among Done")
    after = _completed_today(steps)
    steps.expect(after == before + 1, f"the report has {after} completed jobs, had {before}")
    steps.say(f"The day is closed: the board has {number} in Done, the report counts {after}")


def look_at_mark(steps: Steps) -> None:
    """Look at the job of the demo data that the former system had."""
    link = demonstration.urls()["Mark's tracking link"]
    token = link.rpartition("/")[2]
    steps.expect_page(f"/track/{token}")
    document = steps.tracked(token, "ready_for_pickup")
    steps.expect(document["price"] == "$600 all-in", f"Mark's price: {document['price']}")
    steps.say(f"Mark's job: {document['label']}, {document['price']}, {document['area']}")


def _sign_in(steps: Steps) -> None:
    login = {"username": demonstration.LOGIN, "password": demonstration.PASSWORD}
    answer = steps.visitor.post_with_csrf("/admin/login/?next=/admin/", login)
    steps.expect("sessionid" in steps.visitor.cookies, f"admin login: {answer.status}")
    steps.expect_page("/admin/")
    steps.say(f"Dispatcher signed in; the board has {len(_board(steps)['columns'])} columns")


def _schedule(steps: Steps, token: str, number: str) -> None:
    """Expect that the board refuses a request without a window, then enter one and a price."""
    _expect_tracking_pages(steps, token, "requested")
    refused = _act(steps, number, "step", to="scheduled")
    lacks = [one["code"] for one in refused.get("missing", [])]
    steps.expect(lacks == ["no-window"], f"a job without a window was not refused: {refused}")
    # The whole day, so that the walk can be taken at any hour.
    plan = {"window": f"{timezone.localdate()} 12am-11:59pm", "price": "600 all-in"}
    words = [f"--{name}={value}" for name, value in plan.items()]
    steps.manage("job_status", number, "scheduled", "--reason=agreed by phone", *words)
    _expect_tracking_pages(steps, token, "scheduled")
    steps.say(f"{number} was refused without a window; it now has one and a price: scheduled")


def _assign(steps: Steps, number: str) -> dict[str, Any]:
    """Give the job to a crew on the board, and return the board then."""
    crew = next(one for one in _board(steps)["columns"] if one["title"] == CREWS[0])
    done = _act(steps, number, "assign", crew=crew["crew"], before=None)
    steps.expect("card" in done, f"assigning {number}: {done}")
    board = _board(steps)
    job = _job_in(board, crew["code"], number)
    steps.expect(job is not None, f"{number} is not in the column of {CREWS[0]}")
    steps.say(f"{number} on the board: {done['message']}")
    return board


def _do_as_crew(steps: Steps, token: str, number: str, board: dict[str, Any]) -> None:
    """Work the job through the crew's page, each tap sent twice, as the customer watches."""
    column = next(one for one in board["columns"] if one["title"] == CREWS[0])
    steps.visitor.post_with_csrf(column["link"], {"do": "make"})
    found = re.search(r"/crew/[\w-]+/", steps.expect_page(column["link"]).body)
    steps.expect(found is not None, "the office does not show the crew's link")
    page = found.group() if found else ""
    steps.expect(number in steps.expect_page(page).body, f"the crew's run lacks {number}")
    job = _job_in(board, column["code"], number)
    for act, status in TAPS:
        tap = {"key": str(uuid.uuid4()), "act": act, "job": job, "at": _now()}
        answer = steps.visitor.post_json(f"{page}taps", {"taps": [tap, tap]})
        results = [one["result"] for one in json.loads(answer.body)["results"]]
        steps.expect(results == ["done", "repeated"], f"tap {act}: {answer.body}")
        _expect_tracking_pages(steps, token, status)
        steps.say(f"The crew tapped {act!r}: counted once, the customer sees {status}")


def _completed_today(steps: Steps) -> int:
    """Return how many jobs the owner's report counts as completed this week."""
    today = timezone.localdate().isoformat()
    query = urlencode({"from": today, "to": today, "csv": "weeks"})
    (row,) = csv.DictReader(StringIO(steps.expect_page(f"/admin/reports/?{query}").body))
    return int(row["Jobs completed"])


def _board(steps: Steps) -> dict[str, Any]:
    board: dict[str, Any] = json.loads(steps.expect_page("/api/board").body)
    return board


def _act(steps: Steps, number: str, act: str, **fields: Any) -> dict[str, Any]:
    """Act on the board as its page does; return the answer, also that of a refusal."""
    answer = steps.expect_page("/api/board")
    board = json.loads(answer.body)
    card = next(one for one in board["cards"].values() if one["number"] == number)
    asked = {"act": act, "job": card["id"], "revision": card["revision"], "day": board["day"]}
    asked |= {"key": str(uuid.uuid4()), **fields}
    done = steps.visitor.post_json(
        "/api/board/acts", asked, csrf=answer.headers.get("x-csrftoken", "")
    )
    result: dict[str, Any] = json.loads(done.body)
    return result


def _job_in(board: dict[str, Any], code: str, number: str) -> int | None:
    """Return the key of a job in a column of the board, or None."""
    column = next(one for one in board["columns"] if one["code"] == code)
    keys = [key for key in column["jobs"] if board["cards"][str(key)]["number"] == number]
    return keys[0] if keys else None


def _expect_tracking_pages(steps: Steps, token: str, status: str) -> None:
    """Expect the tracking page, and the status on the page without JavaScript."""
    steps.tracked(token, status)
    steps.expect_page(f"/track/{token}")
    plain = steps.visitor.get(f"/t/{token}/")
    steps.expect(plain.status == OK, f"/t/: expected 200, got {plain.status}")
    steps.expect(f'data-status="{status}"' in plain.body, f"/t/ does not show {status}")


def _now() -> str:
    return datetime.now(UTC).isoformat()
