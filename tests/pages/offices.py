"""The jobs of a day in memory, as the board's endpoints show and change them.

They answer as docs/reference/board.md says, for states that a real office gets into rarely. That
the real endpoints answer so too is for test_board_office.py.
"""

from threading import RLock

DAY = "2026-11-23"
TODAY = DAY
WEEK = [f"2026-11-{day}" for day in range(23, 30)]
CREWS = {3: "North crew", 4: "South crew"}
LABELS = {
    "requested": "Requested",
    "scheduled": "Scheduled",
    "on_site": "Dumpster on site",
    "en_route": "Crew on the way",
    "in_progress": "In progress",
    "completed": "Completed",
}
STEPS = {
    "requested": [("scheduled", "Scheduled")],
    "scheduled": [("en_route", "On the way"), ("completed", "Completed")],
    "on_site": [("ready_for_pickup", "Ready for pickup")],
    "en_route": [("in_progress", "In progress"), ("completed", "Completed")],
    "in_progress": [("completed", "Completed")],
}
WINDOWS = [
    {
        "id": 71,
        "text": "Mon 23, 1-3 PM",
        "start": f"{DAY}T13:00:00-09:00",
        "end": f"{DAY}T15:00:00-09:00",
    },
    {
        "id": 72,
        "text": "Tue 24, 8-10 AM",
        "start": "2026-11-24T08:00:00-09:00",
        "end": "2026-11-24T10:00:00-09:00",
    },
]


def window(hour, day=DAY):
    return {"start": f"{day}T{hour:02}:00:00-09:00", "end": f"{day}T{hour + 2:02}:00:00-09:00"}


def make_card(number, name, **values):
    return {
        "id": number,
        "number": f"QDN-10{number}",
        "revision": 1,
        "status": "scheduled",
        "name": name,
        "phone": f"+190755501{number}",
        "phone_text": f"(907) 555-01{number}",
        "email": "",
        "street": f"{number} Chena Ridge Rd",
        "town": "Fairbanks",
        "zip": "99709",
        "service": "Junk removal",
        "size": "Half a truck",
        "units": 4,
        "price": "$340 all-in",
        "window": window(9),
        "outside_windows": False,
        "crew": None,
        "late": False,
        "late_by": 0,
        "arrived": None,
        "on_hold": False,
        "hold_reason": "",
        "days_out": None,
        "due_on": None,
        "due_back": False,
        "back": None,
        "may_cancel": True,
        "url": f"/admin/dispatch/job/{number}/change/",
        **values,
    }


def usual():
    """Return the cards of an ordinary day."""
    cards = [
        make_card(11, "Ann Berg", email="ann@example.com"),
        make_card(12, "Ben Cole", window=window(11), price=None),
        make_card(13, "Carl Dunn", status="requested", window=None, price=None),
        make_card(21, "Dora Ek", crew=3, status="en_route", arrived=f"{DAY}T09:05:00-09:00"),
        make_card(22, "Emil Fox", crew=3, window=window(11), late=True, late_by=25),
        make_card(23, "Fay Gunn", crew=3, window=window(13), on_hold=True, hold_reason="Sick"),
        make_card(31, "Gus Hall", crew=4, outside_windows=True),
        make_card(
            41,
            "Hal Ives",
            status="on_site",
            window=None,
            days_out=8,
            due_back=True,
            service="Dumpster rental",
            size="",
            due_on="2026-11-22",
        ),
        make_card(
            51,
            "Ida Jones",
            crew=4,
            status="completed",
            back={"to": "in_progress", "label": "In progress"},
        ),
    ]
    return {card["id"]: card for card in cards}


class Refusal(Exception):
    def __init__(self, status, **body):
        self.status, self.body = status, body


class Office:
    """The jobs of a day, and what is done with them."""

    def __init__(self, cards=None):
        self.lock = RLock()
        self.cards = cards if cards is not None else usual()
        self.order = {
            crew: [c["id"] for c in self.cards.values() if c["crew"] == crew] for crew in CREWS
        }
        self.runs = dict.fromkeys(CREWS, 1)
        self.acts, self.polls, self.known, self.last = [], [], {}, {}
        self.needs = [
            {
                "rule": "unanswered",
                "job": 13,
                "sentence": "Carl Dunn has waited 3 hours for an answer.",
                "action": {"act": "window", "label": "Choose window", "url": "/admin/"},
                "since": None,
            },
        ]
        self.may_change, self.signed_in, self.stamp, self.down = True, True, 0, False

    def card(self, job):
        card = self.cards[job]
        steps = [{"to": to, "label": label} for to, label in STEPS.get(card["status"], [])]
        return {
            **card,
            "status_label": LABELS.get(card["status"], "Ready for pickup"),
            "next": steps,
        }

    def board(self, day):
        cards = {job: self.card(job) for job in self.cards} if day == DAY else {}
        where = {job: self.place(card) for job, card in cards.items()}
        runs = [
            {
                "code": f"crew-{crew}",
                "title": title,
                "crew": crew,
                "run_revision": self.runs[crew],
                "units": sum(cards[job]["units"] for job in self.order[crew] if job in cards),
                "sheet": f"/admin/run-sheet/{crew}/{day}/",
                "link": "/admin/link/",
                "jobs": [job for job in self.order[crew] if where.get(job) == crew],
            }
            for crew, title in CREWS.items()
        ]
        plain = {
            name: [job for job in where if where[job] == name]
            for name in ("unassigned", "out", "done")
        }
        return {
            "v": 2,
            "day": day,
            "today": TODAY,
            "actor": "dana",
            "may_change": self.may_change,
            "week": [
                {
                    "day": one,
                    "jobs": 9 if one == DAY else 2,
                    "units": 36 if one == DAY else 8,
                    "room": 64,
                }
                for one in WEEK
            ],
            "columns": [
                {"code": "needs", "title": "Needs you", "needs": self.needs if cards else []},
                {"code": "unassigned", "title": "Unassigned", "jobs": plain["unassigned"]},
                *runs,
                {"code": "out", "title": "Out", "jobs": plain["out"]},
                {"code": "done", "title": "Done", "jobs": plain["done"]},
            ],
            "cards": cards,
        }

    @staticmethod
    def place(card):
        if card["status"] == "completed":
            return "done"
        if card["status"] == "on_site":
            return "out"
        return card["crew"] or "unassigned"

    def act(self, body, actor):
        with self.lock:
            if body["key"] in self.known:
                return self.known[body["key"]]
            self.acts.append(body)
            card = self.cards.get(body["job"])
            if card and body["act"] != "order" and body["revision"] != card["revision"]:
                self.conflict(card)
            before = dict(card or {})
            message = getattr(self, f"do_{body['act']}")(card, body)
            undo = None
            if card and body["act"] not in ("order", "snooze", "send_link", "undo"):
                undo = {"job": card["id"], "revision": card["revision"] + 1}
            if card and body["act"] != "order":
                self.changed(card, before, actor)
            answer = {"card": card and self.card(card["id"]), "undo": undo, "message": message}
            self.known[body["key"]] = answer
            return answer

    def conflict(self, card):
        by, changes = self.last[card["id"]]
        raise Refusal(
            409,
            code="changed",
            error=f"{card['number']} was changed by {by}.",
            hint="Check the job as it is now.",
            by=by,
            changes=changes,
            card=self.card(card["id"]),
        )

    def changed(self, card, before, actor):
        names = CREWS | {None: ""}
        changes = [
            {
                "field": name,
                "before": names.get(old, str(old)),
                "after": names.get(card[name], str(card[name])),
                "actor": actor,
            }
            for name, old in before.items()
            if card[name] != old
        ]
        card["revision"] += 1
        self.stamp += 1
        self.last[card["id"]] = (actor, changes)
        card["was"] = before

    def do_assign(self, card, body):
        for run in self.order.values():
            if card["id"] in run:
                run.remove(card["id"])
        card["crew"] = body["crew"]
        if body["crew"]:
            self.put(self.order[body["crew"]], card["id"], body.get("before"))
        return f"Assigned to {CREWS[body['crew']]}." if body["crew"] else "Taken off its crew."

    def do_order(self, card, body):
        crew = card["crew"]
        if body["run_revision"] != self.runs[crew]:
            raise Refusal(
                409,
                code="run-changed",
                error="The run was changed by olga.",
                hint="Check its order.",
                by="olga",
                changes=[],
                card=None,
            )
        self.order[crew].remove(card["id"])
        self.put(self.order[crew], card["id"], body["before"])
        self.runs[crew] += 1
        self.stamp += 1
        return "Order of the run changed."

    @staticmethod
    def put(run, job, before):
        run.insert(run.index(before) if before in run else len(run), job)

    def do_step(self, card, body):
        if body.get("window"):
            self.do_window(card, body)
        if "crew" in body:
            self.do_assign(card, body)
        if body.get("price"):
            self.do_price(card, {"text": body["price"]})
        if missing := self.missing(card, body["to"]):
            self.refuse(card, missing)
        card["status"] = body["to"]
        return f"{LABELS.get(body['to'], 'Ready for pickup')}."

    @staticmethod
    def missing(card, to):
        if card["status"] == "on_site":
            return []
        lacks = {
            "on_hold": card["on_hold"],
            "window_start": not card["window"],
            "crew": to == "en_route" and not card["crew"],
            "price_text": to in ("en_route", "completed") and not card["price"],
        }
        return [name for name, lacking in lacks.items() if lacking]

    def refuse(self, card, missing):
        rows = [
            {"code": name, "message": "Missing.", "hint": "Enter it.", "field": name}
            for name in missing
        ]
        raise Refusal(
            422,
            code="guard",
            error=f"{card['number']} is not ready for this step.",
            hint="Enter what is missing.",
            field=rows[0]["field"],
            missing=rows,
            windows=WINDOWS,
        )

    def do_window(self, card, body):
        chosen = {"start": f"{body.get('start')}:00-09:00", "end": f"{body.get('end')}:00-09:00"}
        if body.get("window"):
            (row,) = [one for one in WINDOWS if one["id"] == body["window"]]
            chosen = {"start": row["start"], "end": row["end"]}
        card["window"] = chosen
        card["status"] = "scheduled"
        self.needs = [need for need in self.needs if need["job"] != card["id"]]
        return "Window saved."

    def do_price(self, card, body):
        if not body["text"][0].isdigit():
            raise Refusal(
                422,
                code="price",
                error="That is not a price.",
                hint="Write 340 all-in.",
                field="price",
                missing=[],
                windows=[],
            )
        card["price"] = f"${body['text']}"
        return "Price saved."

    def do_hold(self, card, body):
        card["on_hold"], card["hold_reason"] = True, body["reason"]
        return "On hold."

    def do_unhold(self, card, body):
        card["on_hold"], card["hold_reason"] = False, ""
        return "Off hold."

    def do_cancel(self, card, body):
        assert body["side"] in ("customer", "firm")
        assert body["reason"]
        del self.cards[card["id"]]
        self.cards_gone = card
        self.cards[card["id"]] = card
        card["status"] = "completed"
        return "Cancelled."

    def do_back(self, card, body):
        card["status"] = card["back"]["to"]
        return "Stepped back."

    def do_send_link(self, card, body):
        return "The link is on its way."

    def do_snooze(self, card, body):
        self.needs = [need for need in self.needs if need["rule"] != body["rule"]]
        self.stamp += 1
        return "Not shown again until then."

    def do_undo(self, card, body):
        was = {name: value for name, value in card["was"].items() if name != "revision"}
        if was["crew"] != card["crew"]:
            self.do_assign(card, {"crew": was["crew"]})
        card.update(was)
        return "Undone."

    def job(self, job):
        card = self.card(job)
        return {
            "card": card,
            "address": f"{card['street']}, {card['town']}, {card['zip']}",
            "map": "https://www.openstreetmap.org/search?query=x",
            "details": "An old couch\nSix boxes",
            "access_notes": "Gate 4711",
            "photos": [{"large": "/photo.png", "small": "/photo.png", "stage": "before"}],
            "prices": [
                {
                    "text": "$340 all-in",
                    "at": f"{DAY}T08:00:00-09:00",
                    "actor": "dana",
                    "reason": "",
                }
            ],
            "events": [
                {
                    "at": f"{DAY}T08:00:00-09:00",
                    "actor": "dana",
                    "text": "Scheduled",
                    "reason": "Called",
                }
            ],
            "messages": [
                {
                    "event": "Scheduled",
                    "channel": "email",
                    "state": "sent",
                    "at": f"{DAY}T08:00:00-09:00",
                    "url": "/admin/",
                }
            ],
            "links": {"track": "/track/x"},
            "windows": WINDOWS,
            "requested": "Tuesday, in the morning",
        }

    def search(self, text):
        found = [
            {
                "id": job,
                "number": card["number"],
                "name": card["name"],
                "phone_text": card["phone_text"],
                "address": card["street"],
                "status_label": "Scheduled",
                "window_text": "Mon 23",
                "url": card["url"],
            }
            for job, card in self.cards.items()
            if text.lower() in card["name"].lower() or text in card["phone"]
        ]
        return {"q": text, "corrected": None, "results": found}
