import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dispatch.models import Job
from dispatch.statuses import Status
from tests.builders import make_crew, make_job, make_price, make_service
from tests.tracking.builders import make_link
from tracking.links import revoke_link
from tracking.models import TrackingLink

pytestmark = pytest.mark.django_db
BOOK = "/book/request/"


@pytest.fixture
def client():
    """A client subject to CSRF checks, like a browser."""
    return Client(enforce_csrf_checks=True)


def typed(**kwargs):
    make_service("junk")
    return {
        "zip_code": "99709",
        "service": "junk",
        "name": "Mark Halvorsen",
        "phone": "907-555-0142",
        "address_line": "1423 Soderblom Avenue",
        "town": "Fairbanks",
        "form_key": str(uuid4()),
        **kwargs,
    }


def key_in(response):
    return re.search(r'name="form_key" value="([^"]*)"', response.content.decode())[1]


def test_booking_redirects_to_the_job_page(client):
    response = client.post(BOOK, typed())
    job = Job.objects.get()
    link = TrackingLink.objects.get(job=job)
    assert response.status_code == 303
    assert response["Location"] == f"/t/{link.token}/"
    page = client.get(response["Location"])
    assert page.status_code == 200
    assert "Hi Mark" in page.content.decode()


def test_page_built_before_the_fields_were_renamed_still_books(client):
    day = timezone.localdate() + timedelta(days=3)
    client.post(BOOK, typed(wished_day=day.isoformat(), wished_part="morning"))
    job = Job.objects.get()
    assert (job.requested_day, job.requested_time) == (day, "morning")


def test_same_form_again_redirects_to_the_same_job(client):
    form = typed()
    first, second = client.post(BOOK, form), client.post(BOOK, form)
    assert first["Location"] == second["Location"]
    assert Job.objects.count() == 1


def test_form_sent_again_does_not_restore_a_revoked_link(client):
    form = typed()
    client.post(BOOK, form)
    link = TrackingLink.objects.get()
    revoke_link(link=link, actor="pat", reason="a stranger has it")
    again = client.post(BOOK, form)
    assert again.status_code == 404
    assert b"This link is not active" in again.content
    assert again["Referrer-Policy"] == "same-origin"
    assert not TrackingLink.objects.active().exists()


def test_get_shows_the_form_with_a_key_and_books_nothing(client):
    response = client.get(BOOK)
    assert response.status_code == 200
    assert key_in(response)
    assert Job.objects.count() == 0


@pytest.mark.parametrize("key", ["", "not-a-key"])
def test_form_without_a_key_asks_to_send_it_again(client, key):
    form = typed(form_key=key)
    response = client.post(BOOK, form)
    text = response.content.decode()
    assert response.status_code == 200
    assert "Check your details, then press Send again" in text
    assert 'value="Mark Halvorsen"' in text
    assert "problems-title" not in text
    assert Job.objects.count() == 0
    assert client.post(BOOK, {**form, "form_key": key_in(response)}).status_code == 303


def test_errors_keep_the_input_and_appear_at_the_field(client):
    response = client.post(BOOK, typed(phone="12", details="a couch & a lamp"))
    text = response.content.decode()
    assert response.status_code == 422
    assert 'href="#id_phone"' in text
    assert 'aria-invalid="true"' in re.search(r'<input[^>]*name="phone"[^>]*>', text)[0]
    assert "id_phone_error" in re.search(r'<input[^>]*name="phone"[^>]*>', text)[0]
    assert 'id="id_phone_error"' in text
    assert "a couch &amp; a lamp" in text
    assert Job.objects.count() == 0


def test_invalid_form_without_a_key_gets_one(client):
    response = client.post(BOOK, typed(phone="", form_key=""))
    assert response.status_code == 422
    assert "Enter a phone number" in response.content.decode()
    assert key_in(response)


def test_filled_honeypot_books_nothing_and_can_be_sent_again(client):
    form = typed(website="https://spam.example")
    response = client.post(BOOK, form)
    assert response.status_code == 200
    assert "Check your details" in response.content.decode()
    assert "spam.example" not in response.content.decode()
    assert Job.objects.count() == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_form_from_another_site_is_refused(client, headers):
    response = client.post(BOOK, typed(), headers=headers)
    assert response.status_code == 403
    assert "/book/" in response.content.decode()
    assert Job.objects.count() == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
        {"Origin": "http://testserver"},
        {"Origin": "https://qdn.example"},
    ],
)
def test_form_from_our_page_is_accepted(client, settings, headers):
    settings.SITE_URL = "https://qdn.example"
    assert client.post(BOOK, typed(), headers=headers).status_code == 303


def test_job_page_shows_the_public_document(client, settings):
    settings.SITE_URL = "https://qdn.example"
    job = make_job(status=Status.READY_FOR_PICKUP, crew=make_crew(name="Denali"))
    make_price(job)
    link = make_link(job=job, token="AB.12")
    text = client.get("/t/AB.12/").content.decode()
    for shown in ["Ready for pickup", "$600 all-in", "Denali", "Soderblom Avenue, Fairbanks",
                  "https://qdn.example/track/AB.12", 'data-status="ready_for_pickup"']:  # fmt: skip
        assert shown in text
    assert "1423" not in text.replace(link.token, "")


@pytest.mark.parametrize("path", ["/t/AB.12/", "/t/AB.12", "/t/", "/t/unknown/"])
def test_tracking_pages_are_private(client, path):
    make_link(token="AB.12")
    response = client.get(path)
    assert response["Referrer-Policy"] == "same-origin"
    assert response["X-Robots-Tag"] == "noindex"
    assert response["Cache-Control"] == "private, no-store"


def test_unknown_and_revoked_links_look_alike(client):
    make_link(token="gone", revoked=True)
    unknown, revoked = client.get("/t/never/"), client.get("/t/gone/")
    assert unknown.status_code == revoked.status_code == 404
    assert unknown.content == revoked.content
    assert b"This link is not active" in revoked.content


def test_get_changes_nothing(client):
    link = make_link()
    before = TrackingLink.objects.values().get()
    client.get(f"/t/{link.token}/")
    client.head(f"/t/{link.token}/")
    assert TrackingLink.objects.values().get() == before
    assert client.post(f"/t/{link.token}/").status_code == 403


def test_pasted_link_redirects_to_its_job(client):
    response = client.get("/t/", {"link": "https://qdn.example/track/AB.12"})
    assert (response.status_code, response["Location"]) == (302, "/t/AB.12/")


@pytest.mark.parametrize(
    "pasted", ["https://qdn.example/", "..", "https://x/track/a%2Fb", "https://[x", "?t=" * 1_200]
)
def test_pasted_text_without_a_code_says_what_is_expected(client, pasted):
    response = client.get("/t/", {"link": pasted})
    assert response.status_code == 200
    assert "find a code in what you entered" in response.content.decode()


@pytest.mark.parametrize(
    "page", ["/track/AB.12", "/track/AB.12/", "/track/AB.12?x=1", "/track-staging/AB.12"]
)
def test_track_page_without_javascript_leads_to_its_job(client, page):
    response = client.get("/t/", headers={"Referer": f"https://qdn.example{page}"})
    assert (response.status_code, response["Location"]) == (302, "/t/AB.12/")


@pytest.mark.parametrize(
    "page", ["/", "/book/", "/t/AB.12/", "/track/", "/track/a/b", "/tracks/AB.12", "[/track"]
)
def test_other_pages_lead_to_the_paste_form(client, page):
    response = client.get("/t/", headers={"Referer": f"https://qdn.example{page}"})
    assert response.status_code == 200


@pytest.mark.parametrize("referer", ["", "x", "https://[x", "https://[x/track/a", "%", "\u00e9"])
def test_unreadable_referer_leads_to_the_paste_form(client, referer):
    assert client.get("/t/", headers={"Referer": referer}).status_code in (200, 302)


def test_pasted_link_counts_more_than_the_page_before(client):
    headers = {"Referer": "https://qdn.example/track/AB.12"}
    assert client.get("/t/", {"link": "other"}, headers=headers)["Location"] == "/t/other/"


def test_page_of_a_spanish_job_is_in_spanish(client):
    make_link(job=make_job(status=Status.EN_ROUTE, language="es"), token="AB.12")
    text = client.get("/t/AB.12/").content.decode()
    assert '<html lang="es">' in text
    assert "El equipo va en camino" in text
    assert "What happens next" not in text
    make_link(token="CD.34")
    assert '<html lang="en">' in client.get("/t/CD.34/").content.decode()


def test_page_of_an_old_job_is_a_receipt(client):
    make_link(job=make_job(status=Status.COMPLETED), token="AB.12", is_receipt=True)
    text = client.get("/t/AB.12/").content.decode()
    assert "Receipt:" in text
    assert "Soderblom" not in text


def test_card_of_a_shared_link_is_the_same_for_all(client):
    def card(path):
        return re.findall(
            r'<meta (?:property="og|name="twitter):[^>]*>', client.get(path).content.decode()
        )

    make_link(token="AB.12")
    assert len(card("/t/AB.12/")) == 6
    assert card("/t/AB.12/") == card("/t/")
    assert "AB.12" not in str(card("/t/AB.12/"))


def test_empty_paste_form(client):
    assert "find a code in what you entered" not in client.get("/t/").content.decode()


@pytest.mark.parametrize("text", ["%s", "\x00", "a" * 500, "ä/../.."])
def test_malformed_codes_are_not_active(client, text):
    response = client.get("/t/", {"link": text}, follow=True)
    assert response.status_code in (200, 404)


def test_admin_job_page_has_the_link(admin_client):
    link = make_link(token="AB.12")
    page = admin_client.get(reverse("admin:dispatch_job_change", args=[link.job_id]))
    assert 'data-copy="http://localhost:8000/track/AB.12"' in page.content.decode()


def test_admin_job_list_has_no_link(admin_client):
    make_link(token="AB.12")
    page = admin_client.get(reverse("admin:dispatch_job_changelist"))
    assert "AB.12" not in page.content.decode()


@pytest.mark.parametrize(("end", "left"), [("replace", 1), ("revoke", 0)])
def test_admin_ends_a_link(admin_client, end, left):
    link = make_link()
    path = reverse("admin:tracking_job_link", args=[link.job_id])
    assert admin_client.get(path).status_code == 200
    admin_client.post(path, {"do": end, "reason": "lost phone"})
    link.refresh_from_db()
    assert (link.is_active, link.revoked_by) == (False, "admin")
    assert TrackingLink.objects.active().count() == left


def test_admin_creates_a_missing_link(admin_client):
    job = make_job()
    admin_client.post(reverse("admin:tracking_job_link", args=[job.pk]))
    assert TrackingLink.objects.active().get().job == job


def test_office_has_to_say_why(admin_client):
    link = make_link()
    path = reverse("admin:tracking_job_link", args=[link.job_id])
    assert "Enter a reason" in admin_client.post(path, {"do": "revoke"}).content.decode()
    assert TrackingLink.objects.active().count() == 1


def test_user_without_permission_cannot_change_links(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("kim", is_staff=True))
    link = make_link()
    path = reverse("admin:tracking_job_link", args=[link.job_id])
    assert client.get(path).status_code == 403


@pytest.mark.parametrize(
    ("proxies", "forwarded", "recorded"),
    [(0, "203.0.113.9", "10.0.0.7"), (1, "192.0.2.66, 203.0.113.9", "203.0.113.9")],
)
def test_consent_records_the_customers_address(client, settings, proxies, forwarded, recorded):
    settings.TRUSTED_PROXIES = proxies
    headers = {"HTTP_X_FORWARDED_FOR": forwarded, "REMOTE_ADDR": "10.0.0.7"}
    client.post(BOOK, typed(text_consent="on"), **headers)
    assert Job.objects.get().text_consent.ip_address == recorded
