"""Who changed which field of a customer, a crew, a service, a price or a text is kept and shown."""

import re
from io import StringIO
from pathlib import Path
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.urls import reverse

from dispatch.booking import BookingRequest, book
from dispatch.field_history import BEFORE, NOT_A_USER, acting_as, record
from dispatch.models import Crew, Customer, PriceRule, ServiceType
from dispatch.probes import make_probe, remove_probe
from notifications.models import MessageTemplate
from qdn.console import OperatorCommand, actor
from tests.builders import make_crew, make_customer
from tracking.models import TrackingLink

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
APPS = ("crews", "dispatch", "notifications", "office", "qdn", "tracking")
MODELS = "Customer|Crew|ServiceType|PriceRule|MessageTemplate"
WITHOUT_RECORD = re.compile(
    rf"\b({MODELS})\.(?:objects|_base_manager)\b[^\n]*?\.(update|bulk_create|bulk_update|delete)\("
)
# New rows only. A row's record begins with its first change.
BULK = {
    ("dispatch/booking.py", "Customer", "bulk_create"),
    ("dispatch/importing.py", "Customer", "bulk_create"),
    ("dispatch/seeding.py", "PriceRule", "bulk_create"),
}


class CrewCommand(OperatorCommand):
    """Adds a crew."""

    def run(self, **options):
        make_crew()


def versions(row):
    """The records of a row, oldest first: type, actor and reason."""
    found = type(row).history.filter(id=row.pk).order_by("history_id")
    return [(one.history_type, one.history_user, one.history_change_reason) for one in found]


def history_page(desk, row):
    model = f"{row._meta.app_label}_{row._meta.model_name}"
    return desk.get(reverse(f"admin:{model}_history", args=[row.pk])).content.decode()


def test_correction_in_the_admin_shows_field_and_user(desk):
    customer = make_customer(name="Dana Rivers")
    page = reverse("admin:dispatch_customer_change", args=[customer.pk])
    desk.post(page, {"name": "Dana Rivera", "phone": customer.e164, "email": ""})
    assert versions(customer) == [("+", NOT_A_USER, None), ("~", "dana", None)]
    shown = history_page(desk, customer)
    assert "Name: Dana Rivers → Dana Rivera" in shown
    assert "Phone:" not in shown


def test_row_from_before_the_history_begins_with_its_old_values(desk):
    (crew,) = Crew.objects.bulk_create([Crew(name="Birch")])
    with acting_as("ines@desk"):
        Crew(pk=crew.pk, name="Aspen").save()
    assert versions(crew) == [("+", "", BEFORE), ("~", "ines@desk", None)]
    shown = history_page(desk, crew)
    assert "Name: Birch → Aspen" in shown
    assert BEFORE in shown


def test_save_that_changes_nothing_is_not_recorded():
    crew = make_crew()
    crew.save()
    assert len(versions(crew)) == 1


def test_reason_is_kept_without_a_change():
    customer = make_customer()
    record(customer, actor="dana", reason="Called to check the number")
    assert versions(customer)[-1] == ("~", "dana", "Called to check the number")


def test_deleted_text_keeps_what_it_said():
    text = MessageTemplate.objects.create(event="received", channel="sms", language="en", body="Hi")
    pk = text.pk
    text.delete()
    last = MessageTemplate.history.filter(id=pk).first()
    assert (last.history_type, last.body) == ("-", "Hi")


def test_prices_are_in_the_history_of_their_service(client, admin_user):
    service = ServiceType.objects.get(code="junk")
    rule = PriceRule.objects.create(service=service, cents=9_000, valid_from="2030-01-01")
    rule.cents = 9_500
    rule.save()
    client.force_login(admin_user)
    shown = history_page(client, service)
    assert "Cents: 9000 → 9500" in shown
    assert str(rule) in shown


def test_command_is_the_operators_change():
    call_command(CrewCommand(stdout=StringIO()), "--json")
    crew = Crew.objects.get()
    assert versions(crew) == [("+", actor(), None)]


def test_booking_of_a_known_or_new_customer_writes_no_record():
    request = BookingRequest(
        name="Ann",
        phone="907-555-0199",
        service="junk",
        address_line="12 Chena Ridge Road",
        town="Fairbanks",
        zip_code="99709",
    )
    for key in (uuid4(), uuid4()):
        book(request=request, form_key=key, actor="customer")
    assert Customer.objects.count() == 1
    assert not Customer.history.exists()


def test_probe_leaves_no_record():
    probe = make_probe()
    TrackingLink.objects.get(job=probe).delete()
    remove_probe(probe)
    assert not Customer.history.exists()


def test_history_page_is_for_those_who_may_see_the_row(client, db):
    crew = make_crew()
    crew.name = "Renamed"
    crew.save()
    page = reverse("admin:dispatch_crew_history", args=[crew.pk])
    staff = User.objects.create_user("new", is_staff=True)
    client.force_login(staff)
    assert client.get(page).status_code == 403
    staff.user_permissions.add(Permission.objects.get(codename="view_crew"))
    assert "Renamed" in client.get(page).content.decode()


def test_history_page_puts_nothing_back(desk):
    """The library's page of a version saves what is posted, for users who may only look too."""
    customer = make_customer(name="Dana Rivers")
    customer.name = "Dana Rivera"
    customer.save()
    version = customer.history.last()
    page = reverse("admin:dispatch_customer_history", args=[customer.pk])
    desk.post(f"{page}{version.history_id}/", {"name": "Dana Rivers"})
    customer.refresh_from_db()
    assert customer.name == "Dana Rivera"


def test_writes_that_bypass_the_history_are_known():
    found = {
        (path.relative_to(ROOT).as_posix(), model, method)
        for app in APPS
        for path in (ROOT / app).rglob("*.py")
        if "migrations" not in path.parts
        for model, method in WITHOUT_RECORD.findall(path.read_text())
    }
    assert found == BULK


def test_bypass_is_noticed():
    assert WITHOUT_RECORD.findall("Crew.objects.filter(pk=1).update(name='x')")
    assert not WITHOUT_RECORD.findall("Crew.objects.create(name='x')")
