"""The last four digits of the phone open a link in one browser, for half an hour."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dispatch.limits import HOUR
from dispatch.models import Customer, RecentAttempt
from dispatch.photos.serving import photo_url
from dispatch.statuses import Status
from tests.builders import make_customer, make_job, make_price
from tests.dispatch.test_photos import make_photos
from tests.migrated import OURS, put_database
from tests.tracking.builders import make_link
from tracking.access import OPEN_SECONDS, unlock_url
from tracking.access_views import TRIES_PER_ADDRESS, TRIES_PER_LINK
from tracking.links import find_link, hash_token, revoke_link, rotate
from tracking.models import TrackingLink

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 20, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]
ADDRESS, NAME = "1423 Soderblom Avenue", "Mark Halvorsen"


@pytest.fixture
def link():
    customer = make_customer(phone="+19075550142", name=NAME)
    return make_link(job=make_job(customer=customer, unit="4"), token="AB.12")


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def enter(client, link, digits="0142", **kwargs):
    return client.post(unlock_url(link), {"digits": digits}, **kwargs)


def shows_private(client, link):
    return ADDRESS in client.get(f"/t/{link.token}/").content.decode()


class TestOpening:
    def test_right_digits_show_what_the_link_does_not(self, client, link):
        assert not shows_private(client, link)
        answer = enter(client, link)
        assert (answer.status_code, answer["Location"]) == (303, "/t/AB.12/#private")
        page = client.get(answer["Location"]).content.decode()
        for text in (ADDRESS, ", 4", "99709", NAME, "(907) 555-0142"):
            assert text in page

    @pytest.mark.parametrize("typed", ["0142", " 01 42 ", "(907) 555-0142", "+1 907 555 0142"])
    def test_digits_are_taken_as_people_type_them(self, client, link, typed):
        assert enter(client, link, typed).status_code == 303

    @pytest.mark.parametrize("typed", ["0143", "1420", "5550", "9999"])
    def test_wrong_digits(self, client, link, typed):
        answer = enter(client, link, typed)
        assert answer.status_code == 422
        assert "not the last four digits" in answer.content.decode()
        assert not answer.cookies
        assert not shows_private(client, link)

    @pytest.mark.parametrize("typed", ["", "142", "abcd", "\u0660\u0661\u0664\u0662"])
    def test_what_is_not_four_digits_costs_no_try(self, client, link, typed):
        for _ in range(TRIES_PER_LINK + 1):
            answer = enter(client, link, typed)
        assert answer.status_code == 422
        assert "Enter four digits" in answer.content.decode()
        assert not RecentAttempt.objects.exists()

    @pytest.mark.parametrize("typed", ["0000", "none", "None", "0142"])
    def test_customer_without_phone_is_answered_like_wrong_digits(self, client, link, typed):
        wrong = enter(client, link, "9999").content
        Customer.objects.update(phone=None)
        answer = enter(client, link, typed)
        assert answer.status_code == 422
        if typed.isdecimal():
            assert answer.content == wrong
        assert not answer.cookies

    def test_looking_changes_nothing(self, client, link):
        for path in ("/t/AB.12/unlock/", "/t/AB.12/unlock/?digits=0142"):
            assert client.get(path).status_code == 200
        assert client.get("/t/AB.12/lock/").status_code == 405
        assert not shows_private(client, link)

    @pytest.mark.parametrize(
        ("then", "leads_to"),
        [
            ("move/", "/t/AB.12/move/"),
            ("photos/add/", "/t/AB.12/photos/add/"),
            ("//evil.example/", "/t/AB.12/#private"),
            ("https://evil.example/", "/t/AB.12/#private"),
            ("../other/", "/t/AB.12/#private"),
            ("move/?x=1", "/t/AB.12/#private"),
            ("move/\r\nX: y", "/t/AB.12/#private"),
            ("\\evil", "/t/AB.12/#private"),
            ("", "/t/AB.12/#private"),
        ],
    )
    def test_leads_on_to_a_page_of_the_same_link(self, client, link, then, leads_to):
        answer = client.post(unlock_url(link, then=then), {"digits": "0142"})
        assert answer["Location"] == leads_to

    def test_form_of_another_site_is_refused(self, client, link):
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
            assert enter(client, link, headers=headers).status_code == 403
            locking = client.post("/t/AB.12/lock/", headers=headers)
            assert locking.status_code == 403
        assert not RecentAttempt.objects.exists()
        assert not shows_private(client, link)

    def test_token_that_only_its_hash_is_known_of(self, client, link):
        TrackingLink.objects.update(token="")
        restored = find_link("AB.12")
        assert enter(client, restored)["Location"] == "/t/AB.12/#private"
        assert shows_private(client, restored)

    @pytest.mark.parametrize("token", ["a b,c;d", "a%2Fb", "ä+&=?#", "QDN 1042"])
    def test_imported_tokens(self, client, token):
        customer = make_customer(phone="+19075550142")
        link = make_link(job=make_job(customer=customer), token=token)
        answer = enter(client, link)
        assert answer.status_code == 303
        assert ADDRESS in client.get(answer["Location"]).content.decode()


class TestCookie:
    def cookie(self, client, link):
        (morsel,) = enter(client, link).cookies.values()
        return morsel

    def test_only_the_server_reads_it(self, client, link, settings):
        morsel = self.cookie(client, link)
        assert (morsel["httponly"], morsel["samesite"], morsel["path"]) == (True, "Lax", "/")
        assert (morsel["max-age"], morsel["secure"]) == (OPEN_SECONDS, "")
        settings.SESSION_COOKIE_SECURE = True
        assert self.cookie(Client(), link)["secure"] is True

    def test_names_neither_token_nor_phone(self, client, link):
        morsel = self.cookie(client, link)
        assert morsel.key == f"link_{hash_token('AB.12')[:16]}"
        for secret in ("AB.12", "0142", hash_token("AB.12")):
            assert secret not in morsel.value

    def test_ends_after_half_an_hour(self, clock, client, link):
        enter(client, link)
        clock.shift(timedelta(seconds=OPEN_SECONDS - 1))
        kept = client.cookies.copy()
        assert shows_private(client, link)
        clock.shift(timedelta(seconds=2))
        client.cookies = kept  # a browser that keeps it longer
        assert not shows_private(client, link)

    def test_opens_no_other_link(self, client, link):
        other = make_link(job=make_job(customer=link.job.customer))
        value = self.cookie(client, link).value
        client.cookies[f"link_{other.token_sha256[:16]}"] = value
        assert not shows_private(client, other)

    @pytest.mark.parametrize("value", ["", "open", "open:1:x", "open:1wMWcR:", ":", "\x00"])
    def test_forged(self, client, link, value):
        client.cookies[f"link_{link.token_sha256[:16]}"] = value
        assert not shows_private(client, link)

    def test_ends_with_the_phone(self, client, link):
        enter(client, link)
        Customer.objects.update(phone="+19075550143")
        assert not shows_private(client, link)

    def test_ends_with_the_link(self, client, link):
        (photo,) = make_photos(link.job)
        enter(client, link)
        assert client.get(photo_url(photo.small)).status_code == 200
        new = rotate(link=link, actor="dana", reason="lost")
        assert client.get("/t/AB.12/").status_code == 404
        assert not shows_private(client, new)
        assert client.get(photo_url(photo.small)).status_code == 404

    def test_lock_again(self, client, link):
        enter(client, link)
        answer = client.post("/t/AB.12/lock/")
        assert (answer.status_code, answer["Location"]) == (303, "/t/AB.12/#private")
        assert not shows_private(client, link)

    def test_other_key_of_the_installation(self, client, link, settings):
        enter(client, link)
        settings.SECRET_KEY = "another key of this installation, as after a leak"
        assert not shows_private(client, link)


class TestPage:
    def test_locked_page_asks_for_the_digits(self, client, link):
        page = client.get("/t/AB.12/").content.decode()
        assert 'action="/t/AB.12/unlock/" method="post"' in page
        assert 'name="digits"' in page

    def test_photos_are_shown_to_the_unlocked_browser_only(self, client, link):
        (photo,) = make_photos(link.job)
        (other,) = make_photos(make_link().job)
        assert photo_url(photo.small) not in client.get("/t/AB.12/").content.decode()
        assert client.get(photo_url(photo.small)).status_code == 404
        enter(client, link)
        assert photo_url(photo.small) in client.get("/t/AB.12/").content.decode()
        assert client.get(photo_url(photo.large)).status_code == 200
        assert client.get(photo_url(other.large)).status_code == 404
        assert Client().get(photo_url(photo.large)).status_code == 404

    def test_receipt_of_a_completed_job(self, client):
        customer = make_customer(phone="+19075550142")
        link = make_link(job=make_job(customer=customer, status=Status.COMPLETED))
        make_price(link.job)
        enter(client, link)
        page = client.get(f"/t/{link.token}/").content.decode()
        assert "Your receipt" in page
        assert "$600 all-in" in page

    def test_gate_code_is_never_shown(self, client, link):
        link.job.access_notes = "Gate code 1234"
        link.job.save()
        enter(client, link)
        assert "Gate code" not in client.get("/t/AB.12/").content.decode()

    def test_what_a_stranger_typed_is_text(self, client, link):
        link.job.details = "<script>alert(1)</script>\nand a couch"
        link.job.save()
        enter(client, link)
        page = client.get("/t/AB.12/").content.decode()
        assert "&lt;script&gt;alert(1)" in page
        assert "<script>alert" not in page

    def test_link_that_became_a_receipt_cannot_be_unlocked(self, client, link):
        enter(client, link)
        TrackingLink.objects.update(is_receipt=True)
        assert not shows_private(client, link)
        assert 'name="digits"' not in client.get("/t/AB.12/").content.decode()
        answer = client.get("/t/AB.12/unlock/")
        assert (answer.status_code, answer["Location"]) == (303, "/t/AB.12/#private")
        assert not Client().post("/t/AB.12/unlock/", {"digits": "0142"}).cookies


class TestLimits:
    def test_five_tries_an_hour_for_a_link(self, clock, client, link):
        for number in range(TRIES_PER_LINK):
            assert enter(client, link, f"000{number}").status_code == 422
            clock.shift(timedelta(minutes=1))
        answer = enter(client, link)  # right, but too late
        assert (answer.status_code, answer["Retry-After"]) == (429, "3300")
        assert not answer.cookies
        page = answer.content.decode()
        assert 'href="tel:' in page
        assert re.search(r"Try again after 12:00 PM", page)
        other = Client(REMOTE_ADDR="203.0.113.9")
        assert enter(other, link).status_code == 429
        clock.move_to(NOW + HOUR)
        assert enter(client, link).status_code == 303

    def test_tries_over_the_limit_do_not_prolong_it(self, clock, client, link):
        for _ in range(3 * TRIES_PER_LINK):
            enter(client, link, "0000")
        clock.move_to(NOW + HOUR)
        assert enter(client, link).status_code == 303

    def test_another_link_has_tries_of_its_own(self, client, link):
        other = make_link(job=make_job(customer=link.job.customer))
        for _ in range(TRIES_PER_LINK):
            enter(client, link, "0000")
        assert enter(client, other).status_code == 303

    def test_address_has_a_limit_over_all_links(self, client, link):
        for number in range(TRIES_PER_ADDRESS):
            client.post(f"/t/unknown-{number}/unlock/", {"digits": "0000"})
        assert enter(client, link).status_code == 429
        assert enter(Client(REMOTE_ADDR="203.0.113.9"), link).status_code == 303

    def test_exactly_five_of_many_at_once(self, together, link):
        answers = together(lambda: enter(Client(), link, "0000").status_code, times=16)
        assert sorted(answers) == [422] * TRIES_PER_LINK + [429] * (16 - TRIES_PER_LINK)

    def test_nothing_stored_names_link_or_address(self, client, link):
        enter(client, link, REMOTE_ADDR="203.0.113.7")
        rows = str(list(RecentAttempt.objects.values()))
        assert RecentAttempt.objects.count() == 2
        for plain in ("203.0.113.7", "AB.12", link.token_sha256):
            assert plain not in rows


SCRIPT = """
import django, sys
django.setup()
from django.test import Client
posts = [Client().post(sys.argv[1], {"digits": "0000"}, HTTP_HOST="localhost") for _ in range(6)]
print([one.status_code for one in posts])
"""


def test_limit_holds_across_processes(tmp_path):
    environ = {name: value for name, value in os.environ.items() if name not in OURS}
    environ |= {
        "DATA_DIR": str(tmp_path / "var"),
        "DEBUG": "true",
        "DJANGO_SETTINGS_MODULE": "qdn.settings",
    }
    put_database(tmp_path / "var")
    make = (
        "import django; django.setup();"
        "from tests.tracking.builders import make_link;"
        "print(make_link(token='AB.12').token)"
    )
    subprocess.run([sys.executable, "-c", make], cwd=ROOT, env=environ, check=True)
    posts = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, "/t/AB.12/unlock/"],
            cwd=ROOT,
            env=environ,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    answers = [code for one in posts for code in json.loads(one.communicate(timeout=120)[0])]
    assert sorted(answers) == [422] * TRIES_PER_LINK + [429] * (18 - TRIES_PER_LINK)


class TestLinksThatOpenNoJob:
    """Unknown, revoked and expired links are answered alike, right digits or wrong."""

    @pytest.fixture
    def tokens(self, link):
        gone = [make_link(job=make_job(customer=link.job.customer)) for _ in range(2)]
        revoke_link(link=gone[0], actor="dana", reason="lost")
        revoke_link(link=gone[1], actor="system", reason="ended")
        return ["unknown", "x" * 128, gone[0].token, gone[1].token]

    def answers(self, client, tokens, digits):
        for path in ("/t/{}/", "/t/{}/unlock/", "/t/{}/unlock/?next=move/"):
            yield [client.get(path.format(token)) for token in tokens]
        yield [client.post(f"/t/{token}/unlock/", {"digits": digits}) for token in tokens]
        yield [client.post(f"/t/{token}/lock/") for token in tokens]

    @pytest.mark.parametrize("digits", ["0142", "0000", "", "x"])
    def test_alike(self, client, tokens, digits):
        for answers in self.answers(client, tokens, digits):
            assert {one.status_code for one in answers} == {404}
            assert len({one.content for one in answers}) == 1
            assert len({str(sorted(one.headers.items())) for one in answers}) == 1
            assert not any(one.cookies for one in answers)

    def test_try_makes_the_same_queries(self, client, link, tokens):
        def queries(token, digits):
            with CaptureQueriesContext(
                connection,
            ) as context:
                client.post(f"/t/{token}/unlock/", {"digits": digits})
            return [re.sub(r"'[^']*'|\d+", "?", one["sql"]) for one in context]

        first = queries("unknown", "0000")  # makes the counter's row
        first = queries("unknown", "0000")
        assert len(first) >= 4
        for token in [*tokens, link.token]:
            for digits in ("0142", "0000"):
                assert queries(token, digits) == first
