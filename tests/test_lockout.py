"""The login pauses after wrong passwords: for one user at one address, or for one address."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from tests.dispatch.conftest import shared_database, together

__all__ = ["shared_database", "together"]  # fixtures
pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 23, 21, tzinfo=UTC)  # 12:00 in Fairbanks
LOGIN = "/admin/login/"
LOCKED = 429
RIGHT, WRONG = "junk-hauled-all-day", "guess"
OFFICE, ELSEWHERE = "198.51.100.3", "203.0.113.9"


@pytest.fixture(autouse=True)
def users(request, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast
    if "shared_database" in request.fixturenames:
        request.getfixturevalue("shared_database")
    for name in ("dana", "lee"):
        User.objects.create_user(name, password=RIGHT, is_staff=True)


def log_in(name="dana", password=RIGHT, address=OFFICE, **headers):
    values = {"username": name, "password": password}
    return Client(REMOTE_ADDR=address, **headers).post(LOGIN, values)


def fail(times, **kwargs):
    """Enter wrong passwords; return the last answer."""
    return [log_in(password=f"{WRONG}{number}", **kwargs) for number in range(times)][-1]


def lets_in(**kwargs):
    return log_in(**kwargs).status_code == 302


def test_right_password_is_refused_after_forty_wrong_ones_until_it_has_cooled_off():
    with time_machine.travel(NOON, tick=False) as clock:
        fail(40)
        assert not lets_in()
        clock.shift(timedelta(minutes=16))
        assert lets_in()


def test_four_wrong_passwords_lock_nothing():
    assert fail(4).status_code == 200
    assert lets_in()


def test_attempts_while_locked_prolong_nothing():
    with time_machine.travel(NOON, tick=False) as clock:
        fail(5)
        clock.shift(timedelta(minutes=10))
        fail(5)
        clock.shift(timedelta(minutes=6))
        assert lets_in()


def test_page_says_what_happened_when_to_try_again_and_whom_to_ask():
    with time_machine.travel(NOON, tick=False) as clock:
        fail(5)
        clock.shift(timedelta(minutes=5))
        answer = log_in()
    page = answer.content.decode()
    assert answer.status_code == LOCKED
    assert answer["Retry-After"] == "600"
    assert "no-store" in answer["Cache-Control"]
    assert "Try again after 12:16." in page
    assert "ask an administrator" in page
    assert "unfold/css/styles.css" in page
    assert "dana" not in page, "a password may have been typed into the field for the name"


def test_other_users_of_the_office_are_let_in():
    fail(10)
    assert lets_in(name="lee")


def test_no_one_is_locked_out_from_elsewhere():
    fail(10, address=ELSEWHERE)
    assert lets_in(address=OFFICE)


def test_address_that_tries_many_names_is_locked(settings):
    settings.LOCKOUT_ADDRESS_FACTOR = 2
    for number in range(5):
        fail(2, name=f"user{number}", address=ELSEWHERE)
    assert log_in(address=ELSEWHERE).status_code == LOCKED
    assert lets_in(address=OFFICE)


def test_logging_in_does_not_clear_the_failures_of_others():
    """Otherwise anyone with a login could try four passwords of others, log in, and so on."""
    for _ in range(2):
        fail(3, name="dana")
        log_in(name="lee")
    assert not lets_in(name="dana")


def test_logging_in_clears_ones_failures():
    for _ in range(3):
        fail(4)
        assert lets_in()


def test_browser_does_not_matter():
    for number in range(5):
        fail(1, HTTP_USER_AGENT=f"browser {number}")
    assert not lets_in()


def test_address_is_the_clients_behind_a_proxy(settings):
    settings.TRUSTED_PROXIES = 1
    fail(5, address="10.0.0.7", HTTP_X_FORWARDED_FOR=f"192.0.2.1, {ELSEWHERE}")
    assert lets_in(address="10.0.0.7", HTTP_X_FORWARDED_FOR=OFFICE)
    assert not lets_in(address="10.0.0.7", HTTP_X_FORWARDED_FOR=ELSEWHERE)


def test_forged_address_does_not_help():
    for number in range(5):
        fail(1, HTTP_X_FORWARDED_FOR=f"192.0.2.{number}")
    assert not lets_in(HTTP_X_FORWARDED_FOR="192.0.2.77")


def test_addresses_of_one_ipv6_network_count_together():
    for number in range(5):
        fail(1, address=f"2001:db8:1:2::{number:x}")
    assert not lets_in(address="2001:db8:1:2:ffff::1")
    assert lets_in(address="2001:db8:1:3::1")


def test_server_behind_a_socket_knows_no_address():
    fail(5, address="")
    assert not lets_in(address="")


def test_name_that_does_not_exist_is_locked_like_one_that_does():
    assert fail(5, name="nobody").status_code == LOCKED


def test_parallel_failures_are_all_counted(together):
    """None is lost to another that read the same count, nor fails on inserting the same row."""
    answers = together(lambda: fail(1).status_code, times=5)
    assert set(answers) <= {200, LOCKED}
    assert AccessAttempt.objects.get().failures_since_start == 5
    assert not lets_in()


@pytest.mark.parametrize(
    "command",
    [("axes_reset_username", "dana"), ("axes_reset_ip", OFFICE),
     ("axes_reset_ip_username", OFFICE, "dana"), ("axes_reset",)],
    ids=lambda command: command[0],
)  # fmt: skip
def test_operator_unlocks_at_the_shell(command, capsys):
    fail(5)
    call_command(*command)
    assert lets_in()


def test_operator_unlocks_in_the_admin(admin_client):
    fail(5)
    attempt = AccessAttempt.objects.get()
    row = reverse("admin:axes_accessattempt_change", args=[attempt.pk])
    page = admin_client.get(row).content.decode()
    assert "dana" in page
    assert WRONG not in page
    admin_client.post(row.replace("change", "delete"), {"post": "yes"})
    assert lets_in()


def test_dispatchers_do_not_see_failed_logins(client):
    client.force_login(User.objects.get(username="dana"))
    assert client.get(reverse("admin:axes_accessattempt_changelist")).status_code == 403


def test_log_has_the_address_but_neither_name_nor_password(caplog):
    fail(5)
    assert OFFICE in caplog.text
    assert not re.search(f"dana|{WRONG}", caplog.text)


def test_nothing_typed_but_the_name_is_stored():
    fail(2)
    attempt = AccessAttempt.objects.get()
    assert WRONG not in f"{attempt.get_data}{attempt.post_data}"


def test_ordinary_request_costs_no_query(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        client.get(LOGIN)
