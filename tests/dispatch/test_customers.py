"""Customers are merged and corrected, and jobs moved between them, with an event for each job."""

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from dispatch import customers
from dispatch.changing import change_details, move_job
from dispatch.customers import find_customer, merge_customers, move_job_to_customer
from dispatch.errors import (
    CustomerChangedMeanwhile,
    CustomerUnknown,
    JobChangedMeanwhile,
    JobUnknown,
    ValueRefused,
)
from dispatch.models import Customer, Job, JobEvent
from dispatch.probes import make_probe
from dispatch.statuses import Status
from notifications.models import Message
from tests.builders import make_customer, make_job
from tests.tracking.builders import make_link

pytestmark = pytest.mark.django_db
BY = {"actor": "dana", "reason": "Same person"}


@pytest.fixture
def pair():
    """Mark, to be kept, and Mark again with two jobs."""
    keep = make_customer(name="Mark Ames", phone="+19075550142")
    other = make_customer(name="M. Ames", phone="+19075550199", email="mark@example.com")
    make_job(customer=other)
    make_job(customer=other, status=Status.COMPLETED)
    return keep, other


def merge_page(other, keep=None):
    page = reverse("admin:dispatch_customer_merge", args=[other.pk])
    return f"{page}?into={keep.pk}" if keep else page


def events_of(job):
    return JobEvent.objects.filter(job=job, revision__gt=1)


def test_merge_moves_every_job_by_an_event_and_removes_the_other(pair):
    keep, other = pair
    own = make_job(customer=keep)
    merged = merge_customers(keep=keep, other=other, **BY)
    assert [job.customer_id for job in Job.objects.all()] == [keep.pk] * 3
    assert not Customer.objects.filter(name="M. Ames").exists()
    assert len(merged.jobs) == 2
    for job in merged.jobs:
        event = events_of(job).get()
        assert (event.actor, event.reason) == ("dana", "Same person")
        assert event.changes == {
            "customer": ["M. Ames, (907) 555-0199", "Mark Ames, (907) 555-0142"]
        }
    assert not events_of(own).exists()


def test_kept_customer_gets_what_only_the_other_had():
    keep = make_customer(name="Mark Ames", phone=None)
    other = make_customer(name="M. Ames", phone="+19075550199", email="mark@example.com")
    merge_customers(keep=keep, other=other, **BY)
    keep.refresh_from_db()
    assert (keep.e164, keep.email, keep.name) == ("+19075550199", "mark@example.com", "Mark Ames")


def test_kept_customer_keeps_their_own(pair):
    keep, other = pair
    Customer.objects.filter(pk=keep.pk).update(email="ames@example.com")
    merge_customers(keep=keep, other=other, **BY)
    keep.refresh_from_db()
    assert (keep.e164, keep.email) == ("+19075550142", "ames@example.com")


def test_history_keeps_who_was_merged(pair):
    keep, other = pair
    pk = other.pk
    merge_customers(keep=keep, other=other, **BY)
    last = Customer.history.filter(id=pk).first()
    assert (last.history_type, last.history_user, last.name) == ("-", "dana", "M. Ames")
    assert "Merged into Mark Ames" in last.history_change_reason
    assert "Merged M. Ames" in keep.history.first().history_change_reason


def test_longest_names_and_reason_fit():
    keep, other = make_customer(name="K" * 120), make_customer(name="O" * 120)
    merge_customers(keep=keep, other=other, actor="dana", reason="r" * 300)
    assert "r" * 200 in keep.history.first().history_change_reason


def test_customers_hear_nothing_of_a_merge(pair):
    keep, other = pair
    merge_customers(keep=keep, other=other, **BY)
    assert not Message.objects.exists()


@pytest.mark.parametrize("reason", ["", "  "])
def test_merge_needs_a_reason(pair, reason):
    keep, other = pair
    with pytest.raises(ValueRefused, match="reason"):
        merge_customers(keep=keep, other=other, actor="dana", reason=reason)


def test_customer_is_not_merged_with_itself(pair):
    with pytest.raises(ValueRefused, match="itself"):
        merge_customers(keep=pair[0], other=pair[0], **BY)


def test_customer_merged_meanwhile_is_refused(pair):
    keep, other = pair
    merge_customers(keep=keep, other=other, **BY)
    third = make_customer()
    with pytest.raises(CustomerChangedMeanwhile, match="nothing was changed"):
        merge_customers(keep=third, other=other, **BY)


def test_customer_of_the_probe_is_not_merged(pair):
    probe = make_probe()
    with pytest.raises(ValueRefused, match="tracking check"):
        merge_customers(keep=pair[0], other=probe.customer, **BY)


def test_nothing_is_merged_if_a_job_changes_meanwhile(pair, monkeypatch):
    keep, other = pair
    last = Job.objects.filter(customer=other).order_by("pk").last()
    real = customers.change_job

    def change_after_another(*, job, **values):
        if job.pk == last.pk:
            mine = Job.objects.get(pk=last.pk)
            change_details(job=mine, changes={"unit": "4"}, actor="ines")
        real(job=job, **values)

    monkeypatch.setattr(customers, "change_job", change_after_another)
    with pytest.raises(JobChangedMeanwhile):
        merge_customers(keep=keep, other=other, **BY)
    assert Job.objects.filter(customer=other).count() == 2
    assert not events_of(Job.objects.first()).exists()


def test_nothing_is_merged_if_the_other_gets_a_job_meanwhile(pair, monkeypatch):
    keep, other = pair
    real, late = customers.change_job, []

    def change_and_book(*, job, **values):
        if not late:
            late.append(make_job(customer=other))
        real(job=job, **values)

    monkeypatch.setattr(customers, "change_job", change_and_book)
    with pytest.raises(CustomerChangedMeanwhile, match="another job"):
        merge_customers(keep=keep, other=other, **BY)
    assert Customer.objects.filter(pk=other.pk).exists()
    assert not Job.objects.filter(customer=keep).exists()


def test_two_merges_at_once_end_with_one(together):
    keep, other = make_customer(), make_customer()
    for _ in range(3):
        make_job(customer=other)

    def merge():
        mine = [Customer.objects.get(pk=one) for one in (keep.pk, other.pk)]
        return len(merge_customers(keep=mine[0], other=mine[1], **BY).jobs)

    results = together(merge, times=4)
    assert [one for one in results if one == 3] == [3]
    refused = (CustomerChangedMeanwhile, Customer.DoesNotExist)
    assert all(isinstance(one, refused) for one in results if one != 3)
    assert Job.objects.filter(customer=keep).count() == 3
    assert JobEvent.objects.filter(revision=2).count() == 3


def test_job_moves_to_another_customer(pair):
    keep, other = pair
    job = Job.objects.filter(customer=other).first()
    move_job_to_customer(job=job, customer=keep, **BY)
    job.refresh_from_db()
    assert (job.customer, job.contact_name) == (keep, "M. Ames")
    assert list(events_of(job).get().changes) == ["customer"]


def test_job_of_the_customer_already_gets_no_event(pair):
    job = Job.objects.first()
    move_job_to_customer(job=job, customer=pair[1], **BY)
    assert not events_of(job).exists()


def test_job_changed_meanwhile_is_not_moved(pair):
    stale = Job.objects.filter(status=Status.REQUESTED).get()
    move_job(job=Job.objects.get(pk=stale.pk), to=Status.CANCELLED, side="firm", **BY)
    with pytest.raises(JobChangedMeanwhile):
        move_job_to_customer(job=stale, customer=pair[0], **BY)


def test_tracking_link_opens_with_the_new_customers_digits(client, pair):
    keep, _other = pair
    link = make_link(job=Job.objects.filter(status=Status.REQUESTED).get())
    unlock = reverse("tracking:unlock", kwargs={"token": link.token})
    assert client.post(unlock, {"digits": "0199"}).status_code == 303
    actions = reverse("tracking:cancel", kwargs={"token": link.token})
    assert client.get(actions).status_code == 200
    move_job_to_customer(job=link.job, customer=keep, **BY)
    assert client.get(actions).status_code == 303
    assert client.post(unlock, {"digits": "0199"}).status_code == 422
    assert client.post(unlock, {"digits": "0142"}).status_code == 303


@pytest.mark.parametrize("text", ["907-555-0142", "+1 907 555 0142", " {job} ", "QDN-{job}"])
def test_customer_is_found_by_phone_or_job(text):
    customer = make_customer(phone="+19075550142")
    job = make_job(customer=customer)
    assert find_customer(text.format(job=job.number)) == customer


@pytest.mark.parametrize(
    ("text", "error"), [("907-555-0111", CustomerUnknown), ("77", JobUnknown), ("M", ValueRefused)]
)
def test_customer_who_is_not_there_is_refused(text, error):
    with pytest.raises(error):
        find_customer(text)


# In the admin


def test_phone_of_another_customer_leads_to_them(desk, pair):
    keep, other = pair
    page = reverse("admin:dispatch_customer_change", args=[other.pk])
    html = desk.post(page, {"name": "M. Ames", "phone": keep.e164, "email": ""}).content.decode()
    assert reverse("admin:dispatch_customer_change", args=[keep.pk]) in html
    assert merge_page(other, keep) in html
    assert "Merge into Mark Ames" in html


def test_phone_of_another_customer_is_named_in_a_new_one_too(desk, pair):
    page = reverse("admin:dispatch_customer_add")
    typed = {"name": "Mark <b>", "phone": pair[0].e164, "email": ""}
    html = desk.post(page, typed).content.decode()
    assert reverse("admin:dispatch_customer_change", args=[pair[0].pk]) in html
    assert "/merge/" not in html


def test_name_of_another_customer_is_escaped(desk):
    make_customer(name="<script>x</script>", phone="+19075550142")
    page = reverse("admin:dispatch_customer_add")
    html = desk.post(page, {"name": "A", "phone": "+19075550142"}).content.decode()
    assert "&lt;script&gt;x" in html
    assert "<script>x" not in html


def test_customer_without_a_phone_can_be_corrected(desk):
    customer = make_customer(phone=None)
    page = reverse("admin:dispatch_customer_change", args=[customer.pk])
    assert desk.post(page, {"name": "Ann", "phone": "", "email": ""}).status_code == 302
    customer.refresh_from_db()
    assert (customer.name, customer.phone) == ("Ann", None)


def test_phone_is_not_removed_from_a_customer_who_has_one(desk, pair):
    page = reverse("admin:dispatch_customer_change", args=[pair[0].pk])
    answer = desk.post(page, {"name": "Mark", "phone": "", "email": ""})
    assert "This field is required" in answer.content.decode()


def test_dispatcher_merges_in_three_steps(desk, pair):
    keep, other = pair
    asked = desk.get(merge_page(other), {"customer": "907-555-0142"})
    assert asked.headers["Location"] == merge_page(other, keep)
    shown = desk.get(merge_page(other, keep)).content.decode()
    assert "2 jobs of M. Ames move." in shown
    done = desk.post(merge_page(other, keep), {"reason": "Same person"}, follow=True)
    assert "Merged M. Ames, (907) 555-0199 into Mark Ames: 2 jobs moved." in done.content.decode()
    history = desk.get(reverse("admin:dispatch_customer_history", args=[keep.pk]))
    assert "Merged M. Ames, (907) 555-0199 into this customer" in history.content.decode()


def test_merge_page_keeps_what_was_typed_when_refused(desk, pair):
    keep, other = pair
    answer = desk.post(merge_page(other, keep), {"reason": ""})
    assert "Enter a reason." in answer.content.decode()
    unknown = desk.get(merge_page(other), {"customer": "907-555-0111"})
    assert "No customer has the phone number 907-555-0111." in unknown.content.decode()
    same = desk.post(merge_page(keep, keep), {"reason": "Oops"})
    assert "cannot be merged with itself" in same.content.decode()
    assert Customer.objects.count() == 2


def test_dispatcher_moves_a_job(desk, pair):
    job = Job.objects.filter(customer=pair[1]).first()
    listed = desk.get(reverse("admin:dispatch_customer_change", args=[pair[1].pk]))
    page = reverse("admin:dispatch_job_customer", args=[job.pk])
    assert page in listed.content.decode()
    typed = {"customer": "(907) 555-0142", "reason": "Booked with the wrong number"}
    done = desk.post(page, typed, follow=True).content.decode()
    assert f"{job.label} is a job of Mark Ames, (907) 555-0142 now." in done
    assert "customer: M. Ames, (907) 555-0199 → Mark Ames, (907) 555-0142" in done


def test_unknown_phone_offers_a_new_customer(desk, pair):
    page = reverse("admin:dispatch_job_customer", args=[Job.objects.first().pk])
    answer = desk.post(page, {"customer": "907-555-0111", "reason": "New number"})
    assert reverse("admin:dispatch_customer_add") in answer.content.decode()


def test_who_may_only_look_neither_merges_nor_moves(client, pair):
    viewer = User.objects.create_user("vera", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(viewer)
    keep, other = pair
    shown = client.get(reverse("admin:dispatch_customer_change", args=[other.pk]))
    assert "/merge/" not in shown.content.decode()
    for page in (
        merge_page(other, keep),
        reverse("admin:dispatch_job_customer", args=[Job.objects.first().pk]),
    ):
        assert client.get(page).status_code == 403
        assert client.post(page, {"reason": "Same"}).status_code == 403
    assert Customer.objects.count() == 2
