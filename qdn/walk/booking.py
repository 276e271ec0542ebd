"""Booking on the walk, as a customer does."""

import json
import re
import uuid
from urllib.parse import urlencode

from qdn.walk.steps import Steps

SEE_OTHER, INVALID = 303, 422
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
# A full truck: a window of two trucks, less the reserve for the office, has room for one.
INSTANT = {
    "load_size": "full",
    "name": "Lee Novak",
    "phone": "907-456-0188",
    "email": "lee@example.com",
}
TOO_LATE = {"name": "Kim Baker", "phone": "907-456-0199", "email": "kim@example.com"}


def book(steps: Steps) -> tuple[str, str]:
    """Send a booking twice; return its token and job number."""
    steps.expect_page("/book/")
    fields = {**BOOKING, "form_key": str(uuid.uuid4())}
    first = steps.visitor.post("/book/request/", fields)
    steps.expect(first.status == SEE_OTHER, f"booking: expected 303, got {first.status}")
    again = steps.visitor.post("/book/request/", fields)
    steps.expect(
        again.headers.get("location") == first.headers["location"],
        "sending the same form twice made two jobs",
    )
    token = first.headers["location"].rstrip("/").rpartition("/")[2]
    document = steps.tracked(token, "requested")
    steps.say(f"Booking accepted: {document['number']}; sending it again makes no second job")
    return token, document["number"]


def book_window(steps: Steps) -> tuple[str, str]:
    """Book the first free window at the price shown; return the job's token and number.

    Another customer, who wants the same window, is offered others.
    """
    query = {"zip": BOOKING["zip_code"], "service": BOOKING["service"], "load": "full"}
    offer = json.loads(steps.visitor.get(f"/api/v1/windows?{urlencode(query)}").body)
    window = offer["windows"][0]
    steps.say(f"A full truck: {offer['price']}, first free {window['label']}")
    wanted = {**BOOKING, **INSTANT, "first_choice": str(window["id"]), "price": offer["price"]}
    booked = steps.visitor.post("/book/request/", {**wanted, "form_key": str(uuid.uuid4())})
    steps.expect(booked.status == SEE_OTHER, f"instant booking: got {booked.status}")
    token = booked.headers["location"].rstrip("/").rpartition("/")[2]
    document = steps.tracked(token, "scheduled")
    steps.expect(document["window"]["start"] == window["start"], "it got another window")
    _expect_full(steps, {**wanted, **TOO_LATE})
    return token, document["number"]


def _expect_full(steps: Steps, wanted: dict[str, str]) -> None:
    refused = steps.visitor.post("/book/request/", {**wanted, "form_key": str(uuid.uuid4())})
    steps.expect(refused.status == INVALID, f"a full window was booked: got {refused.status}")
    offered = re.search(r"The next free times: ([^<]*)\.", refused.body)
    steps.expect(offered is not None, "the refusal of a full window offers no others")
    steps.expect(wanted["email"] in refused.body, "the refused form lost what was typed")
    steps.say(f"The same window again: refused, offered {offered[1] if offered else ''}")
