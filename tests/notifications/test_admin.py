"""The dispatchers' pages about messages."""

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from notifications.kinds import Channel, State
from notifications.models import Message, MessageTemplate, OptOut
from tests.notifications.builders import make_customers_job, make_message

pytestmark = pytest.mark.django_db
LEDGER = reverse("admin:notifications_message_changelist")
TEMPLATES = reverse("admin:notifications_messagetemplate_changelist")
ADD = reverse("admin:notifications_messagetemplate_add")


def page(client, url, **data):
    response = client.get(url, data)
    assert response.status_code == 200
    return response.content.decode()


def test_failed_then_unknown_then_the_rest(desk):
    for state in (State.SENT, State.UNKNOWN, State.QUEUED, State.FAILED):
        make_message(state=state, key=state)
    found = desk.get(LEDGER).context["cl"].result_list
    assert [message.state for message in found] == ["failed", "unknown", "queued", "sent"]


def test_state_is_shown_in_words(desk):
    make_message(state=State.SUPPRESSED)
    text = page(desk, LEDGER)
    assert "Not sent" in text.partition("result_list")[2]


def test_filter_by_state(desk):
    make_message(state=State.SENT)
    make_message(state=State.FAILED)
    found = desk.get(LEDGER, {"state__exact": "failed"}).context["cl"].result_list
    assert [message.state for message in found] == ["failed"]


def test_message_is_shown_without_the_token(desk, server):
    from notifications.sending import send_due  # noqa: PLC0415

    message = make_message()
    send_due()
    text = page(desk, reverse("admin:notifications_message_change", args=[message.pk]))
    assert "{link}" in text
    assert "secret-token" not in text
    assert 'name="_save"' not in text


def test_messages_on_the_jobs_page(desk):
    message = make_message(state=State.FAILED, error="The server answered 550 No such user")
    text = page(desk, reverse("admin:dispatch_job_change", args=[message.job_id]))
    assert "550 No such user" in text


def again(client, *messages, **data):
    rows = [message.pk for message in messages]
    return client.post(
        LEDGER, {"action": "send_again", "_selected_action": rows, **data}, follow=True
    )


def test_sending_again_asks_first(desk):
    message = make_message(state=State.FAILED)
    text = again(desk, message).content.decode()
    assert "Send 1 message again" in text
    assert "may have arrived" not in text
    assert Message.objects.count() == 1


def test_unknown_message_comes_with_a_warning(desk):
    assert "may have arrived" in again(desk, make_message(state=State.UNKNOWN)).content.decode()


def test_sending_again_reports_each_result(desk):
    failed, queued = make_message(state=State.FAILED), make_message()
    text = again(desk, failed, queued, confirmed="yes").content.decode()
    assert f"Queued again: {failed.job.label}." in text
    assert "is under way" in text
    new = Message.objects.get(again_of=failed)
    assert (new.state, new.caused_by) == (State.QUEUED, "dana")


def test_who_may_only_look_cannot_send(client):
    user = User.objects.create_user("vera", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_message"))
    client.force_login(user)
    message = make_message(state=State.FAILED)
    assert "send_again" not in page(client, LEDGER)
    again(client, message, confirmed="yes")
    assert Message.objects.count() == 1


# Texts


def values(**kwargs):
    texts = {"subject": "Got it, {first_name}", "body": "We have {number}. {link}"}
    return {"event": "received", "channel": "email", "language": "en", **texts, **kwargs}


def test_dispatcher_saves_a_text(desk):
    assert desk.post(ADD, values()).status_code == 302
    assert MessageTemplate.objects.get().subject == "Got it, {first_name}"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"body": "Code {access_notes}"}, "A text cannot use {access_notes}."),
        ({"subject": "{gate}"}, "A text cannot use {gate}."),
        ({"body": "Hi {first_name"}, "a brace without its partner"),
        ({"subject": ""}, "An email needs a subject."),
        ({"channel": "sms"}, "A text message has no subject."),
    ],
)
def test_refused_texts(desk, change, complaint):
    response = desk.post(ADD, values(**change))
    assert complaint in response.content.decode()
    assert not MessageTemplate.objects.exists()


def test_text_that_ships_is_where_one_begins(desk):
    text = page(desk, ADD, event="reminder", channel="sms", language="es")
    assert "Recordatorio: llegamos" in text
    assert f"{ADD}?event=reminder&amp;channel=sms&amp;language=es" in page(desk, TEMPLATES)


@pytest.mark.parametrize("query", [{"event": "x"}, {"event": "received", "channel": "email"}])
def test_other_addresses_begin_empty(desk, query):
    page(desk, ADD, **query)


def preview(client, template, **data):
    return page(client, f"{TEMPLATES}{template.pk}/preview/", **data)


def test_preview_with_a_real_job(desk):
    job = make_customers_job()
    make_customers_job(contact_name="Ana Soto")
    template = MessageTemplate.objects.create(**values())
    assert "Got it, Ana" in preview(desk, template)
    text = preview(desk, template, job=job.label)
    assert "Got it, Mark" in text
    assert "secret-token" not in text


def test_preview_counts_segments(desk):
    make_customers_job()
    long = values(channel=Channel.SMS, subject="", body="{firm}: \N{DELIVERY TRUCK}" + "x" * 70)
    text = preview(desk, MessageTemplate.objects.create(**long))
    assert "2 segments" in text
    assert "UCS-2" in text


def test_preview_without_such_a_job(desk):
    template = MessageTemplate.objects.create(**values())
    assert "There is no job yet." in preview(desk, template)
    assert "There is no job &#x27;x&#x27;" in preview(desk, template, job="x")


def test_office_can_opt_a_number_out_and_not_in(desk):
    url = reverse("admin:notifications_optout_changelist")
    assert desk.post(f"{url}add/", {"phone": "907-555-0142"}).status_code == 302
    row = OptOut.objects.get()
    assert desk.post(f"{url}{row.pk}/delete/", {"post": "yes"}).status_code == 403
