"""A fresh database accepts bookings, and dispatchers have only the permissions they need."""

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.utils import timezone

from dispatch.catalogue.area import surcharge_if_served
from dispatch.catalogue.pricing import from_prices
from dispatch.models import Counter, PriceRule, ServedZip, ServiceType
from dispatch.seeding import DISPATCHERS, seed

pytestmark = pytest.mark.django_db


def test_fresh_database_has_services_and_a_counter():
    assert set(ServiceType.objects.values_list("code", flat=True)) == {
        "junk",
        "dumpster-10",
        "dumpster-20",
        "cleanout",
    }
    assert Counter.objects.get(name="job").value == 1000


def test_fresh_database_has_prices_and_an_area():
    """The prices that the home page had before there were rules, and the firm's region."""
    lowest = from_prices(timezone.localdate())
    shown = {key: lowest[key].lowest for key in ("eighth", "half", "full", "dumpster")}
    assert shown == {"eighth": "$120", "half": "$340", "full": "$600", "dumpster": "$390"}
    assert surcharge_if_served("99701") == 0
    assert surcharge_if_served("99501") is None
    assert set(PriceRule.objects.values_list("service__code", flat=True)) == set(
        ServiceType.objects.values_list("code", flat=True)
    )
    booked_at_once = ServiceType.objects.filter(instant_booking=True)
    assert [service.code for service in booked_at_once] == ["junk"]


def test_migrating_again_brings_back_no_price_and_no_zip():
    """A firm without ZIP codes serves them all, and must not lose that with an upgrade."""
    PriceRule.objects.all().delete()
    ServedZip.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert not PriceRule.objects.exists()
    assert not ServedZip.objects.exists()


def test_migrating_again_keeps_changes():
    ServiceType.objects.filter(code="junk").update(name="Hauling", active=False)
    ServiceType.objects.filter(code="cleanout").delete()
    Counter.objects.update(value=1042)
    call_command("migrate", verbosity=0)
    assert ServiceType.objects.get(code="junk").name == "Hauling"
    assert not ServiceType.objects.filter(code="cleanout").exists()
    assert Counter.objects.get(name="job").value == 1042


def test_dispatchers_have_no_access_to_tasks_or_accounts():
    permissions = Group.objects.get(name=DISPATCHERS).permissions
    apps = set(permissions.values_list("content_type__app_label", flat=True))
    assert not apps & {"django_q", "auth", "admin", "deployments", "edge"}
    assert permissions.filter(codename="change_job").exists()


def test_dispatchers_cannot_delete_or_edit_history():
    codenames = set(
        Group.objects.get(name=DISPATCHERS).permissions.values_list("codename", flat=True)
    )
    assert not {name for name in codenames if name.startswith("delete_")}
    assert not codenames & {"add_jobevent", "change_jobevent", "add_price", "change_price"}


def test_seeding_before_the_tables_exist_does_nothing(monkeypatch):
    monkeypatch.setattr(Counter._meta, "db_table", "not_there_yet")
    seed()
