"""What the page of a run needs: its stops, and the words and tables of its script."""

import json
from typing import Any
from uuid import uuid4

from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from crews.models import CrewLink
from crews.run import Stop, day_text, end_text, first_open, stops_of
from crews.steps import CLOSED, LEADS_TO, OFFERED, Act, State
from dispatch.languages import current_language
from dispatch.models import Photo
from dispatch.visits import DELAYS, Failure

# What run.js says, in its words.
SCRIPT_TEXTS = (
    gettext_noop("waiting for signal"),
    gettext_noop("sent"),
    gettext_noop("refused: {words}"),
    gettext_noop("No signal. What you tap is kept on this phone and sent later."),
    gettext_noop("Waiting for signal: {count}"),
    gettext_noop("This link has ended. Call the office with what you did."),
    gettext_noop("Not sent, of another run: {count}. Call the office."),
)


def page_context(link: CrewLink, *, notice: str = "", refused: int | None = None) -> dict[str, Any]:
    """Return the context of the page. `notice` is why a tap on the job `refused` was refused."""
    stops = stops_of(link)
    shown = first_open(stops) | {refused}
    return {
        "link": link,
        "language": current_language(),
        "day": day_text(link.day),
        "ends": end_text(link.ends_at),
        "now": timezone.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "left": sum(not stop.is_closed for stop in stops),
        "stops": [_card(stop, stop.job.pk in shown) for stop in stops],
        "notice": notice,
        "refused": refused,
        "delays": [minutes for minutes in DELAYS if minutes],
        "failures": Failure.choices,
        "stages": [
            (Photo.Stage.BEFORE, gettext("Before")),
            (Photo.Stage.AFTER, gettext("After")),
        ],
        "script": _script_tables(),
    }


def _card(stop: Stop, is_shown: bool) -> dict[str, Any]:
    steps = [act for act in Act if act in LEADS_TO and act != Act.FAILED]
    return {
        "stop": stop,
        "job": stop.job,
        "is_shown": is_shown,
        "steps": [
            {"act": act, "key": uuid4(), "is_offered": act in stop.offered, "is_next": is_next}
            for act in steps
            for is_next in [stop.offered[:1] == (act,)]
        ],
        "keys": {act.value: uuid4() for act in Act},
        "stage_keys": {stage: uuid4() for stage in Photo.Stage.values},
        "offers": {act.value: act in stop.offered for act in Act},
    }


def _script_tables() -> str:
    """Return the tables of run.js as JSON, in the language that is active."""
    tables = {
        "offered": {state: [act.value for act in acts] for state, acts in OFFERED.items()},
        "leads": {act.value: state.value for act, state in LEADS_TO.items()},
        "closed": [state.value for state in CLOSED],
        "states": {state.value: str(state.label) for state in State},
        "acts": {act.value: str(act.label) for act in Act},
        "texts": {text: gettext(text) for text in SCRIPT_TEXTS},
    }
    return json.dumps(tables, ensure_ascii=False)
