"""The groups of users have what the table of roles says, and its page says the same."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.urls import reverse

from dispatch.models import PriceRule, ServiceType
from qdn.roles import APPS, OWNERS, ROLES, VERBS, grant
from tests.builders import make_customer, make_job
from tests.docs.places import rows

pytestmark = pytest.mark.django_db
# Nothing of these is for a role: accounts, the task queue, sessions, the edge's tables.
NEVER = {"auth", "admin", "django_q", "sessions", "axes", "edge", "contenttypes", "qdn"}


def names_of(role):
    return {f"{app}.{name}" for app in APPS for name in role.codenames(app)}


def permissions_of(group):
    found = Group.objects.get(name=group).permissions.select_related("content_type")
    return {f"{one.content_type.app_label}.{one.codename}" for one in found}


@pytest.fixture
def owner(client):
    user = User.objects.create_user("olivia", is_staff=True)
    user.groups.add(Group.objects.get(name=OWNERS))
    client.force_login(user)
    return client


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.group)
def test_group_has_what_the_table_says(role):
    assert permissions_of(role.group) == names_of(role)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.group)
def test_every_permission_of_the_table_exists(role):
    """A name with a typing error would be granted to no group, without an error."""
    existing = {
        f"{one.content_type.app_label}.{one.codename}"
        for one in Permission.objects.select_related("content_type")
    }
    assert names_of(role) <= existing


def test_page_shows_the_table():
    shown = {}
    for model, *cells in rows("roles.md", "of"):
        for role, cell in zip(ROLES, cells, strict=True):
            powers = () if cell == "-" else tuple(cell.split(", "))
            shown.setdefault(role.group, {})[model.strip("`")] = powers
    for role in ROLES:
        assert {model: powers for model, powers in shown[role.group].items() if powers} == dict(
            role.powers
        )


def test_no_role_manages_accounts_or_tasks():
    assert not NEVER & set(APPS)


def test_only_owners_delete_and_only_what_no_job_needs():
    deleting = {name for role in ROLES for name in names_of(role) if ".delete_" in name}
    assert deleting == {
        *("dispatch.delete_pricerule", "dispatch.delete_savedview", "dispatch.delete_servedzip")
    }
    assert "delete" in VERBS


@pytest.mark.parametrize("group", ["Dispatchers", OWNERS])
def test_upgrade_brings_what_the_group_lacks(group):
    permissions = Group.objects.get(name=group).permissions
    permissions.remove(Permission.objects.get(codename="view_job"))
    call_command("migrate", verbosity=0)
    assert permissions.filter(codename="view_job").exists()


def test_permission_taken_from_operators_is_not_given_back():
    group = Group.objects.get(name="Operators")
    group.permissions.remove(Permission.objects.get(codename="deploy_to_production"))
    grant(app_config=apps.get_app_config("deployments"), using="default")
    assert not group.permissions.filter(codename="deploy_to_production").exists()


def test_before_the_tables_exist_nothing_happens(monkeypatch):
    Group.objects.all().delete()
    monkeypatch.setattr(Group._meta, "db_table", "not_there_yet")
    grant(app_config=apps.get_app_config("dispatch"), using="default")
    monkeypatch.undo()
    assert not Group.objects.exists()


# What an owner meets in the admin


@pytest.mark.parametrize(
    "model",
    ["job", "customer", "crew", "servicetype", "servedzip", "servicewindow"],
)
def test_owner_sees_the_lists_of_dispatch(owner, model):
    assert owner.get(reverse(f"admin:dispatch_{model}_changelist")).status_code == 200


def test_owner_changes_a_service_and_its_prices(owner):
    service = ServiceType.objects.get(code="junk")
    page = reverse("admin:dispatch_servicetype_change", args=[service.pk])
    form = owner.get(page).context["adminform"].form
    assert "name" in form.fields
    rule = PriceRule.objects.filter(service=service).first()
    assert f'value="{rule.pk}"' in owner.get(page).content.decode()


def test_owner_only_looks_at_jobs_and_customers(owner):
    job = make_job(access_notes="Gate 1234")
    customer = make_customer()
    page = reverse("admin:dispatch_job_change", args=[job.pk])
    shown = owner.get(page)
    assert shown.status_code == 200
    assert "Gate 1234" not in shown.content.decode()
    for refused in (
        page,
        reverse("admin:dispatch_customer_change", args=[customer.pk]),
        reverse("admin:dispatch_customer_merge", args=[customer.pk]),
        reverse("admin:dispatch_job_customer", args=[job.pk]),
        reverse("admin:dispatch_job_add"),
    ):
        assert owner.post(refused, {"name": "x"}).status_code == 403


@pytest.mark.parametrize(
    "name",
    [
        "admin:auth_user_changelist",
        "admin:auth_group_changelist",
        "admin:django_q_schedule_changelist",
        "admin:deployments_environment_changelist",
    ],
)
def test_owner_has_no_accounts_tasks_or_deployments(owner, name):
    assert owner.get(reverse(name)).status_code == 403


def test_owner_exports(owner):
    address = reverse("office:export", args=["dispatch", "job"])
    assert owner.post(address, {"format": "csv"}).status_code == 200
