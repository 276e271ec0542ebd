"""A random day through every door: the board, the admin, the crews' pages and the shell."""

import random
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from crews.steps import Act
from dispatch.models import Job, Run
from dispatch.statuses import Status
from dispatch.visits import DELAYS, Failure
from tests.builders import make_crew, make_job, make_price, make_window
from tests.crews.builders import make_link, tap
from tests.dispatch.job_page import page_of, posted
from tests.dispatch.replaying import check, snapshot
from tests.office.board import post

pytestmark = pytest.mark.django_db
MORNING = datetime(2026, 11, 24, 15, tzinfo=UTC)  # 8 in Denver
HOUR = timedelta(hours=1)
CALLS = 60
# Refusals are answers too; anything else would be a fault.
ANSWERS = {200, 302, 409, 422}


class Doors:
    """Jobs, crews and what is called by chance; each call answers with a status."""

    def __init__(self, desk, seed):
        self.desk, self.chance = desk, random.Random(seed)
        self.windows = [make_window(MORNING + 2 * n * HOUR, units=20) for n in range(4)]
        self.crews = [make_crew(), make_crew()]
        self.links = [make_link(crew) for crew in self.crews]
        services = ["junk", "junk", "junk", "dumpster-10"]
        jobs = [make_job(service=service, load_size="half") for service in services]
        for job in jobs[1:]:
            make_price(job)
        self.made = {job.pk: snapshot(job) for job in jobs}

    def job(self):
        return Job.objects.get(pk=self.chance.choice(list(self.made)))

    def board(self):
        job, pick = self.job(), self.chance.choice
        run = Run.objects.filter(crew=job.crew_id, day=timezone.localdate()).first()
        others = [*self.made, None]
        name, fields = pick([
            ("assign", {"crew": pick([*[crew.pk for crew in self.crews], None]),
                        "before": pick(others)}),
            ("order", {"run_revision": run.revision if run else 0, "before": pick(others)}),
            ("step", {"to": pick(Status.values), "reason": "early"}),
            ("step", {"to": "en_route", "window": pick(self.windows).pk, "reason": "early",
                      "crew": pick(self.crews).pk}),
            ("back", {"reason": "wrong job"}),
            ("cancel", {"side": "firm", "reason": "snow"}),
            ("window", {"window": pick(self.windows).pk, "reason": "asked"}),
            ("hold", {"reason": "rain"}),
            ("unhold", {}),
            ("price", {"text": pick(["600", "300 estimate"]), "reason": "a piano"}),
            ("undo", {}),
        ])  # fmt: skip
        return post(self.desk, name, job, **fields).status_code

    def office(self):
        job, pick = self.job(), self.chance.choice
        typed = pick([
            {"move_to": pick(Status.values)},
            {"force_to": "en_route", "move_reason": "the owner said so"},
            {"step_back": "on", "back_reason": "too early"},
            {"unit": str(self.chance.randint(1, 9))},
            {"free_window": pick(self.windows).pk, "crew": pick(self.crews).pk},
        ])  # fmt: skip
        return self.desk.post(page_of(job), posted(job, **typed)).status_code

    def crew(self):
        pick = self.chance.choice
        more = {"minutes": pick(DELAYS), "why": pick(Failure.values), "note": "x", "price": "650"}
        sent = tap(self.job(), pick([act for act in Act.values if act != Act.PHOTO]), **more)
        path = f"/crew/{pick(self.links).token}/taps"
        answer = Client().post(path, {"taps": [sent, sent]}, content_type="application/json")
        first, again = (one["result"] for one in answer.json()["results"])
        assert (first, again) in {("done", "repeated"), ("refused", "refused")}
        return answer.status_code

    def shell(self):
        job, pick = self.job(), self.chance.choice
        words = pick([
            [pick(Status.values), "--reason", "by phone", "--side", "firm"],
            ["scheduled", "--window", "2026-11-24 1pm-3pm", "--reason", "by phone"],
            ["--back", "--reason", "wrong job"],
        ])  # fmt: skip
        try:
            call_command("job_status", job.label, *words)
        except CommandError as refusal:
            return 422 if refusal.returncode == 1 else 500
        return 200


@pytest.mark.parametrize("seed", range(4))
def test_day_leaves_a_true_history(desk, seed, capsys):
    with time_machine.travel(MORNING, tick=False) as clock:
        doors = Doors(desk, seed)
        for call in range(CALLS):
            door = doors.chance.choice([doors.board, doors.board, doors.office, doors.crew])
            answered = doors.shell() if call % 10 == 0 else door()
            assert answered in ANSWERS
            clock.shift(timedelta(minutes=doors.chance.choice([0, 1, 20])))
        check(doors.made)
