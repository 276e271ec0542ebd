"""Every page that customers see before they have a job is in Spanish, whole and throughout."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.utils import timezone, translation

from deployments.releases.build import build_surfaces
from dispatch import consent
from dispatch.models import Job, PriceRule, ServedZip, ServiceType, ServiceWindow
from qdn.failures import failed
from tests.builders import make_service
from tests.languages.reading import left_in_english, read
from tests.photo_files import jpeg
from tracking.booking_views import unsaved_booking
from tracking.languages import language_of

pytestmark = pytest.mark.django_db
BOOK, AREA, FIND = "/book/request/", "/book/request/area/", "/t/"
# One wrong answer of each kind, and no word that a page would repeat.
WRONG = {
    "zip_code": "9",
    "service": "",
    "load_size": "1",
    "place_on_site": "1",
    "rental_days": "1",
    "first_choice": "?",
    "requested_day": "1",
    "requested_time": "1",
    "name": "",
    "phone": "1",
    "email": "1",
    "address_line": "",
    "town": "",
    "form_key": "1",
}


@pytest.fixture(autouse=True)
def offer():
    """The seeded services, a price for half a truck, and windows of three days."""
    make_service("junk")
    ServedZip.objects.all().delete()
    ServedZip.objects.create(zip_code="99709", surcharge_cents=2000)
    PriceRule.objects.all().delete()
    ServiceWindow.objects.all().delete()
    for service in ServiceType.objects.all():
        for load in ("half", "eighth", "full", ""):
            PriceRule.objects.create(
                service=service, load_size=load, cents=34_000, valid_from="2026-01-01"
            )
    start = timezone.localtime().replace(hour=9, minute=0, second=0, microsecond=0)
    for days in (2, 3, 4):  # beyond the lead time at any hour
        at = start + timedelta(days=days)
        ServiceWindow.objects.create(start=at, end=at + timedelta(hours=2), units=8, public_units=4)


def sent(**changes):
    """Return a form that is complete but for `changes`."""
    first = ServiceWindow.objects.order_by("start").first()
    return {
        "zip_code": "99709",
        "service": "junk",
        "load_size": "half",
        "first_choice": str(first.pk),
        "name": "Ada",
        "phone": "907-555-0142",
        "address_line": "12",
        "town": "99",
        "price": "$360 all-in",
        "form_key": str(uuid4()),
        **changes,
    }


def both(ask):
    """Return what `ask` gives for each language."""
    return [ask(language) for language in ("en", "es")]


def posted(path, form, status, **kwargs):
    """Return the two answers to a form."""

    def post(language):
        answer = Client().post(path, {**form, "language": language, **kwargs})
        assert answer.status_code == status, answer.content.decode()
        return answer.content.decode()

    return both(post)


def shown(path, status=200):
    """Return the two answers to an address."""

    def get(language):
        answer = Client().get(path, query_params={"lang": language})
        assert answer.status_code == status
        return answer.content.decode()

    return both(get)


# Static pages


@pytest.mark.parametrize(
    ("english", "spanish"), [("index", "es/index"), ("book/index", "es/book/index")]
)
def test_static_page_is_in_spanish(english, spanish):
    built = {file.artifact.path: file.body for file in build_surfaces()}
    pages = [built[f"{path}.html"].decode() for path in (english, spanish)]
    assert left_in_english(*pages) == []
    for page in pages:
        for language, path in (("en", english), ("es", spanish)):
            address = f"/{path.removesuffix('index')}"
            assert f'<link rel="alternate" hreflang="{language}" href="{address}">' in page
    assert 'hreflang="es">Español</a>' in pages[0]
    assert 'hreflang="en">English</a>' in pages[1]


def test_building_leaves_the_language_as_it_was():
    with translation.override("es"):
        first = {file.artifact for file in build_surfaces()}
        assert translation.get_language() == "es"
    assert {file.artifact for file in build_surfaces()} == first


def test_missing_page_is_in_both_languages():
    page = next(file for file in build_surfaces() if file.artifact.path == "404.html")
    body = page.body.decode()
    english, rest = body.split('<div class="again" lang="es">')
    assert "try the link in our latest" in english
    assert "No hay ninguna página" in rest
    assert "try the link in our latest" not in rest
    assert 'href="/es/book/"' in rest


def test_pages_of_the_spanish_site_link_to_spanish_ones():
    built = {
        file.artifact.path: file.body.decode()
        for file in build_surfaces()
        if ".html" in file.artifact.path
    }
    for path in ("es/index.html", "es/book/index.html"):
        page = built[path].replace('href="/" lang="en"', "").replace('href="/book/" lang="en"', "")
        page = page.replace('hreflang="en" href="/', "")
        assert 'href="/"' not in page
        assert 'href="/book/"' not in page
        assert 'href="/t/"' not in page
    assert 'name="language" value="es"' in built["es/book/index.html"]


# The booking form


def test_empty_form_is_in_spanish():
    assert left_in_english(*shown(BOOK)) == []


def test_form_with_an_error_at_every_question_is_in_spanish():
    english, spanish = posted(BOOK, WRONG, 422)
    assert left_in_english(english, spanish) == []
    assert english.count('class="error"') == spanish.count('class="error"') >= 11


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"first_choice": ""}, 200),
        ({"price": "$300 all-in"}, 422),
        ({"price": ""}, 200),
        ({"step": "times"}, 200),
        ({"zip_code": "90210"}, 422),
        ({"website": "1"}, 200),
        ({"form_key": ""}, 200),
        ({"requested_day": "2020-01-01"}, 422),
        ({"requested_day": "2099-01-01"}, 422),
        ({"service": "dumpster-10", "rental_days": "91"}, 422),
        ({"service": "dumpster-10", "rental_days": "?"}, 422),
        ({"first_choice": "999999999"}, 422),
        ({"name": "9" * 200, "email": "9" * 300}, 422),
        ({"details": "9" * 2100, "access_notes": "\x00"}, 422),
    ],
)
def test_form_that_comes_back_is_in_spanish(changes, status):
    assert left_in_english(*posted(BOOK, sent(**changes), status)) == []


def test_full_window_and_no_window_are_in_spanish():
    form = sent()
    first = ServiceWindow.objects.order_by("start").first()
    ServiceWindow.objects.filter(pk=first.pk).update(taken=4)
    english, spanish = posted(BOOK, form, 422)
    assert "Los próximos horarios libres: " in spanish
    assert left_in_english(english, spanish) == []
    ServiceWindow.objects.update(taken=4)
    assert left_in_english(*posted(BOOK, sent(first_choice="", name=""), 422)) == []


@pytest.mark.parametrize(
    "content", [b"", b"9", b"\xff\xd8", b"\xff\xd8" + b"\xff\xda" * 50, jpeg()[:400]]
)
def test_refused_photos_are_in_spanish(content):
    from django.core.files.uploadedfile import SimpleUploadedFile  # noqa: PLC0415

    pages = both(
        lambda language: (
            Client()
            .post(
                BOOK,
                {**sent(language=language), "photos": [SimpleUploadedFile("1.jpg", content)] * 1},
            )
            .content.decode()
        )
    )
    assert left_in_english(*pages) == []


def test_too_many_requests_are_refused_in_spanish(settings):
    settings.BOOKINGS_PER_PHONE_DAY = 1
    form = sent(first_choice="other")
    assert Client().post(BOOK, form).status_code == 303
    form["form_key"] = str(uuid4())
    assert left_in_english(*posted(BOOK, form, 429)) == []


def test_form_kept_after_a_failure_is_in_spanish():
    def ask(language):
        request = RequestFactory().post(BOOK, sent(language=language))
        return unsaved_booking(request, status=503).content.decode()

    assert left_in_english(*both(ask)) == []


def test_booking_keeps_the_language_and_the_consent_that_was_read():
    assert Client().post(BOOK, sent(language="es", text_consent="on")).status_code == 303
    job = Job.objects.get()
    assert (job.language, job.text_consent.version) == ("es", consent.CURRENT_IN["es"])
    assert job.text_consent.text == consent.TEXTS[consent.CURRENT_IN["es"]]
    assert str(job.price) == "$360 all-in"
    assert job.events.first().changes == {"price": ["", "$360 all-in"]}


@pytest.mark.parametrize("language", ["", "fr", "es-MX", "ES", "\x00", "x" * 5000])
def test_unknown_language_books_in_english(language):
    assert Client().post(BOOK, sent(language=language)).status_code in (303, 422)
    assert {job.language for job in Job.objects.all()} <= {"en"}


# Other pages of the application


def test_area_form_is_in_spanish():
    assert left_in_english(*shown(AREA)) == []
    wrong = {"area-zip_code": "9", "area-email": "1"}
    assert left_in_english(*posted(AREA, wrong, 422)) == []
    assert left_in_english(*posted(AREA, {}, 422)) == []
    right = {"area-zip_code": "90210", "area-email": "1@2.com"}
    assert left_in_english(*posted(AREA, right, 200)) == []


def test_limited_area_form_is_in_spanish(settings):
    settings.BOOKINGS_PER_ADDRESS_DAY = 1
    right = {"area-zip_code": "90210", "area-email": "1@2.com"}
    Client().post(AREA, right)
    assert left_in_english(*posted(AREA, right, 429)) == []


@pytest.mark.parametrize("link", ["", "QDN-1001", "?"])
def test_find_page_is_in_spanish(link):
    pages = both(
        lambda language: (
            Client()
            .get(FIND, query_params={"lang": language, "link": link})
            .content.decode()
            .replace("QDN-1001", "1001")
        )
    )
    assert left_in_english(*pages) == []


def test_inactive_page_is_in_spanish():
    assert left_in_english(*shown("/t/unknown/", 404)) == []


@pytest.mark.parametrize("path", [BOOK, AREA])
def test_refused_form_is_in_spanish(path):
    def ask(language):
        away = {"Sec-Fetch-Site": "cross-site"}
        return Client().post(path, {"language": language}, headers=away).content.decode()

    assert left_in_english(*both(ask)) == []


@pytest.mark.parametrize("status", [500, 503])
def test_failure_page_is_in_spanish(status):
    pages = both(
        lambda language: failed(
            RequestFactory().get("/t/x/", {"lang": language}), status=status
        ).content.decode()
    )
    assert left_in_english(*pages) == []


def test_page_of_photos_that_are_too_large_is_in_spanish():
    def ask(language):
        with translation.override(language):
            return render_to_string("failures/413.html")

    assert left_in_english(*both(ask)) == []


@pytest.mark.parametrize("path", ["/admin/login/", "/t/x/"])
def test_no_language_is_left_active(path):
    client = Client(headers={"Accept-Language": "es"})
    client.get(path)
    assert translation.get_language() == settings.LANGUAGE_CODE


def test_office_is_in_english(admin_client):
    page = admin_client.get("/admin/", headers={"Accept-Language": "es"}).content.decode()
    assert read(page)[0].startswith("en")
    office = failed(RequestFactory().get("/admin/", {"lang": "es"}), status=503)
    assert b"was not saved" in office.content


# The language of a request


@pytest.mark.parametrize(
    ("query", "form", "preferred", "language"),
    [
        ("", "", "", "en"),
        ("", "", "es", "es"),
        ("", "", "es-MX,es;q=0.9,en;q=0.8", "es"),
        ("", "", "de-DE,es;q=0.5", "es"),
        ("", "", "de", "en"),
        ("", "", "en-US,es;q=0.5", "en"),
        ("", "es", "en", "es"),
        ("en", "es", "es", "en"),
        ("es", "en", "en", "es"),
        ("fr", "", "es", "es"),
        ("es-MX", "", "", "en"),
        ("", "\x00", "*", "en"),
        ("", "", "x" * 5000, "en"),
    ],
)
def test_language_of_a_request(query, form, preferred, language):
    request = RequestFactory().post(
        f"/?lang={query}", {"language": form}, headers={"Accept-Language": preferred}
    )
    assert language_of(request) == language


@pytest.mark.parametrize("language", ["es", "fr", ""])
def test_labels_of_the_offer_are_in_the_language_asked_for(language):
    query = {"zip": "99709", "service": "junk", "load": "half", "lang": language}
    document = Client().get("/api/v1/windows", query_params=query).json()
    assert document["price"] == "$360 all-in"
    spanish = language == "es"
    assert (document["price_label"] == "$360, todo incluido") is spanish
    assert all(
        (" a " in one["label"] and "m." in one["label"]) is spanish for one in document["windows"]
    )
    assert len(document["windows"]) == 3
