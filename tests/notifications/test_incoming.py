"""Answers of customers to text messages, as Twilio delivers them."""

import pytest

from notifications.channels.twilio import signature_of
from notifications.incoming import receive_text
from notifications.models import OptOut
from notifications.segments import size_of
from tests.notifications.builders import make_customers_job

pytestmark = pytest.mark.django_db
URL = "/api/sms/incoming/"
PHONE = "+19075550142"


@pytest.fixture
def answer(client, settings):
    """Return a function that posts a text message with a signature, and returns the response."""
    settings.TWILIO_AUTH_TOKEN, settings.SITE_URL = "secret", "https://example.com"

    def post(body, sender=PHONE, **extra):
        form = {"From": sender, "Body": body, "MessageSid": "SM1", **extra}
        signature = signature_of(f"https://example.com{URL}", form)
        return client.post(URL, form, headers={"X-Twilio-Signature": signature})

    return post


def opted_out():
    return OptOut.objects.filter(phone=PHONE).exists()


@pytest.mark.parametrize("word", ["STOP", " stop. ", "Stopall", "UNSUBSCRIBE", "Alto"])
def test_stop(answer, word):
    response = answer(word)
    assert opted_out()
    assert "will not get any text messages" in response.content.decode()
    assert response["Content-Type"] == "text/xml"


def test_stop_twice_is_one_opt_out(answer):
    assert [answer("STOP").status_code for _ in range(2)] == [200, 200]
    assert OptOut.objects.count() == 1


@pytest.mark.parametrize("word", ["START", "unstop", "Yes"])
def test_start(answer, word):
    OptOut.objects.create(phone=PHONE)
    answer(word)
    assert not opted_out()


def test_help(answer):
    text = answer("HELP").content.decode()
    assert "(907) 555-0100" in text
    assert "Message and data rates may apply" in text


def test_other_texts_change_nothing(answer):
    assert "We do not read" in answer("Please stop by at noon").content.decode()
    assert not opted_out()


def test_answer_is_in_the_language_of_the_last_job():
    job = make_customers_job(language="es")
    said = receive_text(sender=job.customer.phone.as_e164, text="AYUDA")
    assert "Ayuda: (907) 555-0100" in said


@pytest.mark.parametrize("word", ["STOP", "START", "HELP", "?"])
@pytest.mark.parametrize("language", ["en", "es"])
def test_answers_take_two_segments_at_most(word, language):
    job = make_customers_job(language=language)
    size = size_of(receive_text(sender=job.customer.phone.as_e164, text=word))
    assert (size.alphabet, size.segments <= 2) == ("GSM-7", True)


def test_twilio_may_have_answered_itself(answer):
    response = answer("STOP", OptOutType="STOP")
    assert opted_out()
    assert response.content == b"<Response></Response>"


@pytest.mark.parametrize("sender", ["", "whatsapp:+19075550142", "12345", "x" * 5000])
def test_sender_without_a_number_is_not_answered(answer, sender):
    assert answer("STOP", sender=sender).content == b"<Response></Response>"
    assert not OptOut.objects.exists()


def test_wrong_signature(client, answer):
    form = {"From": PHONE, "Body": "STOP"}
    for headers in ({}, {"X-Twilio-Signature": "x"}, {"X-Twilio-Signature": "ñ"}):
        assert client.post(URL, form, headers=headers).status_code == 403
    assert not opted_out()


def test_only_posts(client, answer):
    assert client.get(URL).status_code == 405


def test_without_an_account_there_is_no_such_page(client, settings):
    settings.TWILIO_AUTH_TOKEN = ""
    assert client.post(URL, {"From": PHONE, "Body": "STOP"}).status_code == 404
