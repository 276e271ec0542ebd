"""Tokens are in no task, finished or failed, and in no message of the ledger."""

from multiprocessing import Queue, Value
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from django.core import mail
from django_q.models import Failure, OrmQ, Success
from django_q.monitor import monitor
from django_q.tasks import async_task
from django_q.worker import worker

from dispatch.changing import change_details, move_job
from dispatch.models import Job
from dispatch.statuses import Status
from notifications.channels.faults import MessageRefused
from notifications.models import Message
from notifications.queue import request_sending
from tests.tracking.builders import MemoryStore
from tests.tracking.registry.builders import ODD_TOKENS, former, take
from tracking import tasks
from tracking.links import resend_link, rotate
from tracking.models import TrackingLink
from tracking.queue import request_publishing

pytestmark = pytest.mark.django_db


@pytest.fixture
def links(tmp_path):
    """Links of imported jobs whose tokens are of every odd kind."""
    rows = {
        f"F-{place}": former(token=f"Zz{place}q{odd}", phone="907-555-0142", email="a@example.com")
        for place, odd in enumerate(ODD_TOKENS)
    }
    take(tmp_path, rows)
    assert TrackingLink.objects.count() == len(ODD_TOKENS)
    return list(TrackingLink.objects.select_related("job__customer").order_by("pk"))


@pytest.fixture
def run_tasks(django_capture_on_commit_callbacks, monkeypatch):
    """Enqueue what a function asks for, and run it as workers do, who keep the results."""
    for part in ("worker", "monitor"):  # the test's transaction is in the connection they close
        name = f"django_q.{part}.close_old_django_connections"
        monkeypatch.setattr(name, lambda: None)

    def run(function):
        with django_capture_on_commit_callbacks(execute=True):
            function()
        waiting, results = Queue(), Queue()
        for queued in OrmQ.objects.all():
            waiting.put(queued.task)
        waiting.put("STOP")
        texts.extend(stored_texts())
        OrmQ.objects.all().delete()
        worker(waiting, results, Value("f", -1))
        results.put("STOP")
        monitor(results)

    texts = []
    run.waited = texts
    return run


def stored_texts():
    """Return all that tasks and messages keep, as text."""
    waiting = [f"{one.key} {one.task}" for one in OrmQ.objects.all()]
    done = [
        f"{one.name} {one.func} {one.args} {one.kwargs} {one.result} {one.group}"
        for kind in (Success, Failure)
        for one in kind.objects.all()
    ]
    messages = [str(sorted(row.items(), key=str)) for row in Message.objects.values()]
    return [*waiting, *done, *messages]


def leaked(tokens, texts):
    """Return the tokens of which a text has the beginning, which is plain in every spelling."""
    return [token for token in tokens if any(token[:4] in text for text in texts)]


def test_search_finds_a_token_in_a_task(links, run_tasks):
    run_tasks(lambda: async_task("operator.concat", links[0].token, ""))
    assert leaked([links[0].token], [*run_tasks.waited, *stored_texts()]) == [links[0].token]


def test_no_task_and_no_message_keeps_a_token(links, run_tasks, monkeypatch, client):
    tokens = [link.token for link in links]
    store = MemoryStore()
    monkeypatch.setattr(tasks, "get_backend", lambda: SimpleNamespace(objects=store))

    def work():
        for link in links:
            job = Job.objects.select_related("service", "customer").get(pk=link.job_id)
            change_details(job=job, changes={"unit": "4"}, actor="dana")
            move_job(job=job, to=Status.CANCELLED, actor="dana", side="firm", reason="snow")
            client.get(f"/t/{quote(link.token, safe='')}/")
            resend_link(link=link, actor="dana")
        request_publishing()
        request_sending()

    def refuse(message, **kwargs):
        raise MessageRefused(f"554 Refused: {message.body}")

    store.down = True
    run_tasks(work)
    assert Failure.objects.exists()
    store.down = False
    run_tasks(request_publishing)
    with monkeypatch.context() as broken:
        broken.setattr("notifications.composing.send_email", refuse)
        run_tasks(lambda: rotate(link=links[0], actor="dana", reason="lost"))
    assert Success.objects.exists()
    assert any(quote("Zz0q") in message.body for message in mail.outbox)
    assert Message.objects.filter(state="failed", error__contains="554").exists()
    texts = [*run_tasks.waited, *stored_texts()]
    assert leaked([*tokens, TrackingLink.objects.latest("pk").token], texts) == []
