"""Links are sent, replaced and revoked on a job's page, and for many jobs of the list."""

import pytest
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.urls import reverse

from notifications.kinds import Event
from notifications.models import Message
from tests.builders import make_job
from tests.tracking.builders import MemoryStore, make_link
from tracking.errors import LinkNotActive, LinkNotSent
from tracking.links import resend_link, revoke_link
from tracking.models import TrackingLink
from tracking.publishing import publish_behind

pytestmark = pytest.mark.django_db
LIST = "admin:dispatch_job_changelist"


@pytest.fixture
def links():
    return [make_link(job=make_job(contact_email=f"{one}@example.com")) for one in ("ann", "bob")]


def act(desk, action, jobs, **kwargs):
    data = {"action": action, "_selected_action": [job.pk for job in jobs], **kwargs}
    return desk.post(reverse(LIST), data)


def texts(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def jobs_of(links):
    return [link.job for link in links]


class TestList:
    @pytest.mark.parametrize("action", ["resend_links", "replace_links", "revoke_links"])
    def test_asks_first(self, desk, links, action):
        page = act(desk, action, jobs_of(links))
        assert page.status_code == 200
        text = page.content.decode()
        assert all(link.job.label in text for link in links)
        assert not any(link.token in text for link in links)
        assert ('name="reason"' in text) == (action != "resend_links")
        assert TrackingLink.objects.active().count() == 2
        assert not Message.objects.exists()

    @pytest.mark.parametrize("action", ["replace_links", "revoke_links"])
    @pytest.mark.parametrize("reason", ["", "  "])
    def test_asks_again_without_a_reason(self, desk, links, action, reason):
        page = act(desk, action, jobs_of(links), confirmed="yes", reason=reason)
        assert "Enter a reason" in page.content.decode()
        assert TrackingLink.objects.active().count() == 2

    def test_revokes(self, desk, links):
        answer = act(desk, "revoke_links", jobs_of(links), confirmed="yes", reason="leaked")
        labels = ", ".join(link.job.label for link in reversed(links))
        assert texts(answer) == [f"The link no longer works: {labels}."]
        values = TrackingLink.objects.values_list("revoked_by", "revoke_reason")
        assert set(values) == {("dana", "leaked")}
        assert not Message.objects.exists()

    def test_replaces(self, desk, links):
        act(desk, "replace_links", jobs_of(links), confirmed="yes", reason="leaked")
        assert TrackingLink.objects.count() == 4
        assert TrackingLink.objects.active().count() == 2
        assert set(Message.objects.values_list("event", "recipient")) == {
            (Event.LINK_REPLACED, "ann@example.com"),
            (Event.LINK_REPLACED, "bob@example.com"),
        }

    def test_sends_again(self, desk, links):
        for _ in range(2):  # pressed twice
            act(desk, "resend_links", jobs_of(links), confirmed="yes")
        assert set(Message.objects.values_list("event", "recipient", "caused_by")) == {
            (Event.LINK_REQUESTED, "ann@example.com", "dana"),
            (Event.LINK_REQUESTED, "bob@example.com", "dana"),
        }

    def test_reports_every_job_the_same_results_together(self, desk, links):
        revoke_link(link=links[0], actor="dana", reason="lost")
        silent = [make_link(job=make_job()).job for _ in range(2)]
        answer = act(desk, "resend_links", [*jobs_of(links), *silent], confirmed="yes")
        gone, good, none = links[0].job.label, links[1].job.label, silent
        silent = f"{none[1].label}, {none[0].label}: The job has no email address, and no consent"
        first, second, third = texts(answer)
        assert first.startswith(silent)
        assert second == (
            f"{gone}: Expected an active link, found none. Create one on the job's page."
        )
        assert third == f"The link is on its way to the customer: {good}."
        assert Message.objects.get().recipient == "bob@example.com"

    def test_viewers_are_not_offered_it(self, client, django_user_model, links):
        viewer = django_user_model.objects.create_user("kim", is_staff=True)
        viewer.user_permissions.add(permission("view_job"))
        client.force_login(viewer)
        assert "revoke_links" not in client.get(reverse(LIST)).content.decode()
        act(client, "revoke_links", jobs_of(links), confirmed="yes", reason="leaked")
        assert TrackingLink.objects.active().count() == 2


class TestJobPage:
    def send(self, desk, link, **kwargs):
        return desk.post(reverse("admin:tracking_job_link", args=[link.job_id]), kwargs)

    def test_sends_again(self, desk, links):
        answer = self.send(desk, links[0], do="resend")
        assert texts(answer) == [f"The link is on its way to the customer: {links[0].job.label}."]
        assert Message.objects.get().event == Event.LINK_REQUESTED

    def test_says_that_nothing_can_be_sent(self, desk):
        link = make_link()
        (text,) = texts(self.send(desk, link, do="resend"))
        assert text.startswith(f"{link.job.label}: The job has no email address")
        assert not Message.objects.exists()

    @pytest.mark.parametrize(
        "values", [{"do": ""}, {"do": "delete"}, {"do": "revoke", "reason": " "}]
    )
    def test_refuses(self, desk, links, values):
        page = self.send(desk, links[0], **values)
        assert page.status_code == 200
        assert page.context["form"].errors
        assert TrackingLink.objects.active().count() == 2

    def test_second_of_two_people_creates_no_link(self, desk, links):
        self.send(desk, links[0], do="revoke", reason="lost")
        answer = self.send(desk, links[0], do="revoke", reason="lost")
        assert "found none" in texts(answer)[-1]
        assert TrackingLink.objects.filter(job=links[0].job).count() == 1


class TestResending:
    def test_revoked(self, links):
        revoke_link(link=links[0], actor="dana", reason="lost")
        with pytest.raises(LinkNotActive):
            resend_link(link=links[0], actor="dana")

    def test_link_of_which_only_the_hash_is_known(self, links):
        TrackingLink.objects.update(token="")
        with pytest.raises(LinkNotSent, match="Replace the link"):
            resend_link(link=links[0], actor="dana")

    def test_revoked_documents_leave_the_store(self, desk, links):
        store = MemoryStore()
        publish_behind(objects=store)
        act(desk, "revoke_links", jobs_of(links), confirmed="yes", reason="leaked")
        publish_behind(objects=store)
        assert store.bodies == {}


def permission(name):
    return Permission.objects.get(codename=name)
