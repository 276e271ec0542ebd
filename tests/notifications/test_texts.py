"""Texts: names, values in two languages, and lengths of text messages."""

from datetime import datetime, timedelta

import pytest

from dispatch.models import Job, Price
from notifications.errors import TemplateRefused
from notifications.kinds import Channel, Event
from notifications.models import MessageTemplate
from notifications.names import LINK, NAMES, check_text, fill
from notifications.rendering import (
    greeting,
    price_text,
    render,
    safe_first_name,
    text_for,
    values_of,
    window_text,
)
from notifications.segments import GSM, UCS2, size_of, to_gsm
from notifications.texts import DEFAULTS, default_text
from tests.builders import make_price
from tests.notifications.builders import DENVER, START, make_customers_job

EN, ES = Job.Language.ENGLISH, Job.Language.SPANISH
LINKED = "https://www.quickdumpnow.example/track/abcdefghijklmnopqrstuv"
ALL = [(event, channel) for event in Event for channel in Channel]


@pytest.mark.parametrize("language", DEFAULTS)
def test_every_event_has_a_text_for_each_channel(language):
    assert set(DEFAULTS[language]) == set(ALL)
    assert set(DEFAULTS) == set(Job.Language.values)


@pytest.mark.parametrize("language", DEFAULTS)
@pytest.mark.parametrize(("event", "channel"), ALL)
def test_default_texts_use_allowed_names_only(event, channel, language):
    text = default_text(event, channel, language)
    check_text(text.subject)
    check_text(text.body)
    assert bool(text.subject) == (channel == Channel.EMAIL)
    assert "{link}" in text.body or event == Event.CANCELLED
    assert "{phone}" in text.body or channel == Channel.SMS


@pytest.mark.parametrize(
    ("language", "minutes", "subject"),
    [
        (EN, 0, "We are running late"),
        (EN, 30, "We are running about 30 minutes late"),
        (ES, 0, "Vamos con retraso"),
        (ES, 30, "Vamos con unos 30 minutos de retraso"),
    ],
)
@pytest.mark.django_db
def test_delay_has_its_minutes_if_the_crew_said_so(language, minutes, subject):
    job = make_customers_job(late_by=minutes)
    text = default_text(Event.RUNNING_LATE, Channel.EMAIL, language)
    made = render(text, job=job, channel=Channel.EMAIL, language=language)
    assert made.subject == subject
    assert subject in made.body


@pytest.mark.django_db
@pytest.mark.parametrize("language", DEFAULTS)
@pytest.mark.parametrize("event", list(Event))
def test_default_text_messages_take_one_segment(event, language):
    job = make_customers_job(contact_name="Óscar Núñez", number=9_123_456, late_by=60)
    make_price(job, 45_000, upper_cents=100_000, kind="range")
    text = default_text(event, Channel.SMS, language)
    body = render(text, job=job, channel=Channel.SMS, language=language).body
    size = size_of(fill(body, {LINK: LINKED}))
    assert (size.alphabet, size.segments) == (GSM, 1), fill(body, {LINK: LINKED})


@pytest.mark.django_db
@pytest.mark.parametrize("language", DEFAULTS)
@pytest.mark.parametrize("event", list(Event))
def test_nothing_but_the_link_is_left_open(event, language):
    text = default_text(event, Channel.EMAIL, language)
    made = render(text, job=make_customers_job(), channel=Channel.EMAIL, language=language)
    assert "{" not in made.subject + made.body.replace("{link}", "")


@pytest.mark.django_db
def test_every_name_has_a_value():
    values = values_of(make_customers_job(), channel=Channel.EMAIL, language=EN)
    assert set(values) == set(NAMES) - {LINK}


@pytest.mark.django_db
@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("event", list(Event))
def test_abbreviations_at_the_end_of_a_window_bring_no_second_period(event, channel):
    job = make_customers_job()
    text = default_text(event, channel, "es")
    made = render(text, job=job, channel=channel, language="es")
    assert ".." not in made.subject + made.body


@pytest.mark.parametrize(
    "text", ["{gate_code}", "{job.customer}", "{link", "}", "{0}", "{}", "{{link}}"]
)
def test_other_names_and_lone_braces_are_refused(text):
    with pytest.raises(TemplateRefused):
        check_text(f"Hello {text}")


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["subject", "body"])
def test_template_with_another_name_is_not_saved(field):
    values = {"subject": "x", "body": "y", field: "{access_notes}"}
    with pytest.raises(TemplateRefused) as refused:
        MessageTemplate.objects.create(event="received", channel="email", language="en", **values)
    assert "{access_notes}" in str(refused.value)
    assert not MessageTemplate.objects.exists()


@pytest.mark.django_db
def test_the_firms_own_text_takes_the_place_of_ours():
    own = {"event": "received", "channel": "sms", "language": "es", "body": "Hola {first_name}"}
    MessageTemplate.objects.create(**own)
    assert text_for(Event.RECEIVED, Channel.SMS, "es").body == "Hola {first_name}"
    assert text_for(Event.RECEIVED, Channel.SMS, "en") == default_text(
        Event.RECEIVED, Channel.SMS, "en"
    )


@pytest.mark.django_db
def test_services_of_a_new_installation_are_named_in_the_language():
    job = make_customers_job()
    names = {"Junk removal": "Retiro de desechos", "Snow": "Snow", "": ""}
    for name, spanish in names.items():
        job.service.name = name
        for language, expected in ((EN, name), (ES, spanish)):
            assert values_of(job, channel=Channel.SMS, language=language)["service"] == expected


@pytest.mark.django_db
def test_typed_braces_are_not_names():
    job = make_customers_job()
    job.service.name = "{link}"
    values = values_of(job, channel=Channel.EMAIL, language=EN)
    assert values["service"] == "(link)"


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Mark Halvorsen", "Mark"),
        ("José Núñez", "José"),
        ("Mary-Ann O'Neil", "Mary-Ann"),
        ("www.example.com free money", ""),
        ("evil.com", ""),
        ("{link}", ""),
        ("Call 555", "Call"),
        ("x" * 200, ""),
        ("", ""),
    ],
)
def test_only_a_name_is_repeated(typed, shown):
    assert safe_first_name(typed) == shown


def test_greetings():
    assert [greeting("Ana", EN), greeting("", EN)] == ["Hi Ana,", "Hi,"]
    assert [greeting("Ana", ES), greeting("", ES)] == ["Hola, Ana:", "Hola:"]


WINDOWS = [
    ((9, 11), EN, "Tuesday, Nov 24, 9:00 to 11:00 AM", "Tue, Nov 24, 9:00-11:00 AM"),
    ((11, 13), EN, "Tuesday, Nov 24, 11:00 AM to 1:00 PM", "Tue, Nov 24, 11:00 AM-1:00 PM"),
    ((9, 11), ES, "martes 24 de noviembre, de 9:00 a 11:00 a. m.", None),
    ((11, 13), ES, "martes 24 de noviembre, de 11:00 a. m. a 1:00 p. m.", None),
]


@pytest.mark.parametrize(("hours", "language", "text", "short"), WINDOWS)
def test_windows(hours, language, text, short):
    start, end = (datetime(2026, 11, 24, hour, tzinfo=DENVER) for hour in hours)
    job = Job(window_start=start, window_end=end)
    assert window_text(job, language) == text
    if short:
        assert window_text(job, language, short=True) == short


def test_window_of_two_days():
    job = Job(window_start=START, window_end=START + timedelta(days=1))
    expected = "Tuesday, Nov 24, 9:00 AM to Wednesday, Nov 25, 9:00 AM"
    assert window_text(job, EN) == expected
    assert window_text(Job(), EN) == ""


def test_prices_in_spanish():
    fixed, guess = Price(cents=60_000), Price(cents=60_050, kind="estimate")
    spread = Price(cents=40_000, upper_cents=60_000, kind="range")
    found = [price_text(one, ES) for one in (fixed, guess, spread)]
    assert found == ["$600, todo incluido", "$600.50, precio estimado", "de $400 a $600"]


@pytest.mark.parametrize(
    ("text", "alphabet", "places", "segments"),
    [
        ("a" * 160, GSM, 160, 1),
        ("a" * 161, GSM, 161, 2),
        ("é" * 160, GSM, 160, 1),
        ("€" * 80, GSM, 160, 1),
        ("€" * 81, GSM, 162, 2),
        ("á" * 70, UCS2, 70, 1),
        ("á" * 71, UCS2, 71, 2),
        ("\N{DELIVERY TRUCK}" * 35, UCS2, 70, 1),
        ("\N{GRINNING FACE}" * 36, UCS2, 72, 2),
        ("a" * 307, GSM, 307, 3),
    ],
)
def test_segments(text, alphabet, places, segments):
    size = size_of(text)
    assert (size.alphabet, size.places, size.segments) == (alphabet, places, segments)


def test_characters_with_a_likeness_stay_in_the_gsm_alphabet():
    assert to_gsm("sábado, “aquí” \N{EN DASH} ¿mañana?…") == 'sabado, "aqui" - ¿mañana?...'
