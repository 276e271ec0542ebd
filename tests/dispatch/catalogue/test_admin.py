"""Prices and the service area in the admin: typed in dollars, old rules stay as they are."""

from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.utils import timezone

from dispatch.models import AreaInterest, LoadSize, PriceRule, ServedZip, ServiceType

pytestmark = pytest.mark.django_db
AREA = "/admin/dispatch/servedzip/"


@pytest.fixture
def today():
    return timezone.localdate()


def page_of(service):
    return f"/admin/dispatch/servicetype/{service.pk}/change/"


def posted(service, *new, **changes):
    """Return what a browser posts from the page of a service, with new rules and `changes`."""
    names = ("code", "name", "kind", "description", "units", "minutes_on_site", "included_days")
    data = {name: getattr(service, name) for name in (*names, "position")}
    data |= {"active": "on", "price_rules-INITIAL_FORMS": 0}
    rules = list(service.price_rules.all())
    for number, rule in enumerate(rules):
        data |= row(number, rule.load_size, rule.price, rule.extra_day, rule.valid_from)
        data[f"price_rules-{number}-id"] = rule.pk
    for number, values in enumerate(new, len(rules)):
        data |= row(number, *values)
    data["price_rules-INITIAL_FORMS"] = len(rules)
    data["price_rules-TOTAL_FORMS"] = len(rules) + len(new)
    return data | changes


def row(number, load_size, price, extra_day, valid_from):
    values = {
        "load_size": load_size,
        "price": price,
        "extra_day": extra_day,
        "valid_from": str(valid_from),
    }
    return {f"price_rules-{number}-{name}": value for name, value in values.items()}


def rules_of(service):
    return {str(rule.valid_from): rule.price for rule in service.price_rules.filter(load_size="")}


def errors_of(response):
    formset = response.context["inline_admin_formsets"][0].formset
    return [field for errors in formset.errors for field in errors] or formset.non_form_errors()


@pytest.fixture
def junk():
    service = ServiceType.objects.get(code="junk")
    service.price_rules.all().delete()
    return service


@pytest.fixture
def dumpster():
    service = ServiceType.objects.get(code="dumpster-10")
    service.price_rules.all().delete()
    return service


def test_new_rule_is_typed_in_dollars(admin_client, dumpster, today):
    data = posted(dumpster, ("", "1,250.50 estimate", "$17.50", today))
    answer = admin_client.post(page_of(dumpster), data)
    assert answer.status_code == 302
    rule = dumpster.price_rules.get()
    assert (rule.cents, rule.kind, rule.extra_day_cents) == (125_050, "estimate", 1_750)
    texts = [str(message) for message in get_messages(answer.wsgi_request)]
    assert any("Push and promote" in text or "push and promote" in text for text in texts)


def test_saving_without_a_new_price_says_nothing_about_the_home_page(admin_client, junk, today):
    PriceRule.objects.create(service=junk, cents=34_000, valid_from=today)
    answer = admin_client.post(page_of(junk), posted(junk, name="Hauling"))
    assert answer.status_code == 302
    assert not any("promote" in str(one) for one in get_messages(answer.wsgi_request))


def test_range_is_stored_with_both_ends(admin_client, junk, today):
    admin_client.post(page_of(junk), posted(junk, (LoadSize.MORE, "600 to 1,200", "", today)))
    rule = junk.price_rules.get()
    assert (rule.kind, rule.cents, rule.upper_cents) == ("range", 60_000, 120_000)


def test_rule_that_began_before_today_is_superseded_and_never_edited(admin_client, junk, today):
    begun = today - timedelta(days=1)
    PriceRule.objects.create(service=junk, cents=34_000, valid_from=begun)
    tampered = {"price_rules-0-price": "1", "price_rules-0-valid_from": str(today)}
    data = posted(junk, ("", "380", "", today + timedelta(days=30)), **tampered)
    assert admin_client.post(page_of(junk), data).status_code == 302
    later = str(today + timedelta(days=30))
    assert rules_of(junk) == {str(begun): "$340 all-in", later: "$380 all-in"}


@pytest.mark.parametrize("days", [0, 7])
def test_rule_of_today_or_later_can_be_corrected(admin_client, junk, today, days):
    day = today + timedelta(days=days)
    PriceRule.objects.create(service=junk, cents=3_400, valid_from=day)
    data = posted(junk, **{"price_rules-0-price": "340"})
    assert admin_client.post(page_of(junk), data).status_code == 302
    assert rules_of(junk) == {str(day): "$340 all-in"}


def test_deleting_a_rule_brings_back_the_one_before(admin_client, junk, today):
    PriceRule.objects.create(service=junk, cents=30_000, valid_from=today - timedelta(days=9))
    PriceRule.objects.create(service=junk, cents=34_000, valid_from=today)
    data = posted(junk, **{"price_rules-1-DELETE": "on"})
    assert admin_client.post(page_of(junk), data).status_code == 302
    assert list(rules_of(junk).values()) == ["$300 all-in"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        (("", "cheap", "", 0), "price"),
        (("", "", "", 0), "price"),
        (("", "0", "", 0), "price"),
        (("", "400 to 300", "", 0), "price"),
        (("", "9" * 5000, "", 0), "price"),
        (("", "3\x0040", "", 0), None),
        (("planet", "340", "", 0), "load_size"),
        (("", "340", "20", 0), "extra_day"),
        (("", "340", "cheap", 0), "extra_day"),
        (("", "340", "", -1), "valid_from"),
    ],
)
def test_invalid_rule_is_refused_at_its_field(admin_client, junk, today, values, field):
    *typed, days = values
    data = posted(junk, (*typed, today + timedelta(days=days)))
    answer = admin_client.post(page_of(junk), data)
    assert not junk.price_rules.exists()
    if field is None:
        assert answer.status_code == 400
    else:
        assert field in errors_of(answer)


def test_dumpster_has_no_price_by_load(admin_client, dumpster, today):
    answer = admin_client.post(
        page_of(dumpster), posted(dumpster, (LoadSize.HALF, "390", "20", today))
    )
    assert errors_of(answer) == ["load_size"]


def test_two_rules_for_the_same_day_are_refused(admin_client, junk, today):
    data = posted(junk, ("", "340", "", today), ("", "350", "", today))
    answer = admin_client.post(page_of(junk), data)
    assert answer.status_code == 200
    PriceRule.objects.create(service=junk, cents=34_000, valid_from=today)
    answer = admin_client.post(page_of(junk), posted(junk, ("", "350", "", today)))
    assert answer.status_code == 200
    assert rules_of(junk) == {str(today): "$340 all-in"}


def test_dispatchers_see_prices_and_change_none(desk, junk, today):
    PriceRule.objects.create(service=junk, cents=34_000, valid_from=today)
    html = desk.get(page_of(junk)).content.decode()
    assert "$340 all-in" in html
    assert 'name="price_rules-0-price"' not in html
    assert desk.post(page_of(junk), posted(junk, ("", "1", "", today))).status_code == 403
    assert rules_of(junk) == {str(today): "$340 all-in"}


def test_page_of_a_service_lists_prices_by_size(admin_client, today):
    service = ServiceType.objects.get(code="junk")
    html = admin_client.get(page_of(service)).content.decode()
    sizes = [rule.load_size for rule in rules_shown(admin_client, service)]
    assert sizes == ["", *LoadSize]
    assert f'name="price_rules-__prefix__-valid_from" value="{today}"' in html


def rules_shown(admin_client, service):
    formset = admin_client.get(page_of(service)).context["inline_admin_formsets"][0].formset
    return [form.instance for form in formset.initial_forms]


def test_page_of_a_service_shows_dollars(admin_client):
    html = admin_client.get(page_of(ServiceType.objects.get(code="dumpster-10"))).content.decode()
    assert 'value="$390 all-in"' in html
    assert 'value="$15"' in html


def test_surcharges_are_edited_in_the_list_in_dollars(admin_client):
    ServedZip.objects.all().delete()
    here = ServedZip.objects.create(zip_code="99714", surcharge_cents=4_500)
    assert 'value="$45"' in admin_client.get(AREA).content.decode()
    data = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": here.pk, "_save": "Save"}
    assert admin_client.post(AREA, data | {"form-0-surcharge_cents": "52.50"}).status_code == 302
    here.refresh_from_db()
    assert here.surcharge_cents == 5_250
    answer = admin_client.post(AREA, data | {"form-0-surcharge_cents": "lots"})
    assert "Expected an amount in dollars" in answer.content.decode()


@pytest.mark.parametrize(("typed", "status"), [("99501", 302), ("9950", 200), ("99714", 200)])
def test_zip_code_is_five_digits_and_added_once(admin_client, typed, status):
    answer = admin_client.post(f"{AREA}add/", {"zip_code": typed, "surcharge_cents": ""})
    assert answer.status_code == status
    assert ServedZip.objects.filter(zip_code="99501").count() == (status == 302)


def test_dispatchers_see_the_area_and_who_wants_it_wider(desk):
    AreaInterest.objects.create(zip_code="10001", email="ann@example.com")
    html = desk.get(AREA).content.decode()
    assert "Salcha" in html
    assert "$45" in html
    assert "form-0-surcharge_cents" not in html
    assert "ann@example.com" in desk.get("/admin/dispatch/areainterest/").content.decode()
    assert desk.get("/admin/dispatch/areainterest/add/").status_code == 403
