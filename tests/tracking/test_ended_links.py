"""Links end some time after their job, and their documents with them."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django_q.models import OrmQ, Schedule

from dispatch.changing import change_details, move_job
from dispatch.statuses import Status
from tests.builders import make_job, make_planned_job
from tests.tracking.builders import MemoryStore, make_link
from tracking import retention, tasks
from tracking.links import ensure_first_link, ensure_link, ensure_open_links, find_link
from tracking.models import TrackingLink
from tracking.publishing import publish_behind
from tracking.retention import end_links, make_receipts

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 20, 20, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


@pytest.fixture(autouse=True)
def ten_days(settings):
    settings.TRACKING_FULL_DAYS, settings.TRACKING_RECEIPT_DAYS = 3, 10
    return settings


def ended():
    """Run the task; return how many links ended."""
    return tasks.end_links()["ended"]


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.mark.parametrize("end", [Status.COMPLETED, Status.CANCELLED])
def test_link_ends_some_days_after_its_job(clock, end):
    before = Status.IN_PROGRESS if end == Status.COMPLETED else Status.SCHEDULED
    link = make_link(job=make_planned_job(status=before))
    clock.shift(30 * DAY)
    move_job(job=link.job, to=end, actor="dana", reason="sold", side="customer")
    assert end_links(NOW + 40 * DAY) == 0
    clock.shift(10 * DAY + MINUTE)
    assert ended() == 1
    assert find_link(link.token) is None
    link.refresh_from_db()
    assert (link.revoked_at, link.revoked_by, link.revoke_reason) == (
        NOW + 40 * DAY + MINUTE, "system", "ended",
    )  # fmt: skip
    assert ended() == 0


def test_edit_after_the_end_does_not_keep_the_link(clock):
    link = make_link(job=make_job(status=Status.COMPLETED))
    clock.shift(9 * DAY)
    change_details(job=link.job, changes={"details": "couch"}, actor="dana")
    assert end_links(NOW + 10 * DAY + MINUTE) == 1


def test_link_of_an_open_job_stays(clock):
    link = make_link(job=make_job(status=Status.ON_SITE, service="dumpster-10"))
    assert end_links(NOW + 4_000 * DAY) == 0
    assert find_link(link.token) == link


@pytest.mark.parametrize("days", [0, -1])
def test_links_never_end_without_a_number_of_days(clock, ten_days, days):
    ten_days.TRACKING_RECEIPT_DAYS = days
    make_link(job=make_job(status=Status.COMPLETED))
    assert end_links(NOW + 4_000 * DAY) == 0


def test_document_of_an_ended_link_is_deleted(clock, django_capture_on_commit_callbacks):
    store = MemoryStore()
    link = make_link(job=make_job(status=Status.COMPLETED))
    publish_behind(objects=store)
    assert link.key in store.bodies
    with django_capture_on_commit_callbacks(execute=True):
        end_links(NOW + 10 * DAY + MINUTE)
    assert OrmQ.objects.exists()
    assert publish_behind(objects=store)["deleted"] == 1
    assert store.bodies == {}


def test_office_can_give_out_a_link_to_an_old_job(clock):
    job = make_job(status=Status.COMPLETED)
    make_link(job=job)
    clock.shift(30 * DAY)
    assert ended() == 1
    link = ensure_link(job=job, actor="dana")
    assert ended() == 0
    assert find_link(link.token) == link
    clock.shift(10 * DAY + MINUTE)
    assert ended() == 1


def test_closed_job_gets_no_link_by_itself():
    job = make_job(status=Status.COMPLETED)
    ensure_open_links(actor="system")
    assert ensure_first_link(job=job, actor="customer") is None
    assert not TrackingLink.objects.exists()


def test_links_end_some_at_a_time(clock, monkeypatch):
    monkeypatch.setattr(retention, "ENDED_AT_ONCE", 2)
    for _ in range(3):
        make_link(job=make_job(status=Status.COMPLETED))
    clock.shift(11 * DAY)
    assert [ended() for _ in range(3)] == [2, 1, 0]


def test_page_of_an_ended_link_says_what_to_do(client, clock):
    link = make_link(job=make_job(status=Status.COMPLETED))
    end_links(NOW + 10 * DAY + MINUTE)
    answer = client.get(f"/t/{link.token}/")
    text = answer.content.decode()
    assert answer.status_code == 404
    for part in ("a job that ended", 'href="tel:', 'href="/book/"'):
        assert part in text
    assert link.job.label not in text


class TestReceipts:
    def receipts(self):
        return TrackingLink.objects.filter(is_receipt=True).count()

    @pytest.mark.parametrize("end", [Status.COMPLETED, Status.CANCELLED])
    def test_link_becomes_a_receipt_some_days_after_its_job(self, clock, end):
        link = make_link(job=make_job(status=end))
        publish_behind(objects=MemoryStore())
        clock.shift(3 * DAY)
        assert tasks.end_links() == {"ended": 0, "receipts": 0}
        clock.shift(MINUTE)
        assert tasks.end_links() == {"ended": 0, "receipts": 1}
        assert find_link(link.token).is_receipt
        # Behind, so that its document is written again.
        assert list(TrackingLink.objects.behind()) == [link]
        assert tasks.end_links() == {"ended": 0, "receipts": 0}

    def test_claim_of_a_worker_that_read_the_job_before_is_broken(self, clock):
        link = make_link(job=make_job(status=Status.COMPLETED), claimed_at=NOW)
        make_receipts(NOW + 4 * DAY)
        link.refresh_from_db()
        assert (link.claimed_at, link.published_revision) == (None, 0)

    def test_open_jobs_and_revoked_links_stay_as_they_are(self, clock):
        make_link(job=make_job(status=Status.IN_PROGRESS))
        make_link(job=make_job(status=Status.COMPLETED), revoked=True)
        assert make_receipts(NOW + 400 * DAY) == 0
        assert self.receipts() == 0

    def test_new_link_of_an_old_job_is_a_receipt_some_days_later(self, clock):
        job = make_job(status=Status.COMPLETED)
        clock.shift(5 * DAY)
        make_link(job=job)
        assert make_receipts(NOW + 8 * DAY) == 0
        assert make_receipts(NOW + 8 * DAY + MINUTE) == 1

    @pytest.mark.parametrize("days", [0, -1])
    def test_links_never_become_receipts_without_a_number_of_days(self, clock, ten_days, days):
        ten_days.TRACKING_FULL_DAYS = days
        make_link(job=make_job(status=Status.COMPLETED))
        assert make_receipts(NOW + 4_000 * DAY) == 0

    def test_some_at_a_time(self, clock, monkeypatch):
        monkeypatch.setattr(retention, "ENDED_AT_ONCE", 2)
        for _ in range(3):
            make_link(job=make_job(status=Status.COMPLETED))
        now = NOW + 4 * DAY
        assert [make_receipts(now) for _ in range(3)] == [2, 1, 0]

    def test_same_queries_for_any_number_of_links(self, clock, django_assert_max_num_queries):
        for number in (1, 9):
            for _ in range(number):
                make_link(job=make_job(status=Status.COMPLETED))
            with django_assert_max_num_queries(5):
                assert make_receipts(NOW + 4 * DAY) == number


def test_ending_is_scheduled():
    schedule = Schedule.objects.get(func="tracking.tasks.end_links")
    assert schedule.schedule_type == Schedule.HOURLY
