"""Who may do what: permissions.txt, one line per address, one letter per role.

Every URL pattern needs a line, and so does every action of a list. A test asks for each cell.
"""

import json
from http.cookies import SimpleCookie
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from axes.models import AccessAttempt
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.test import Client, RequestFactory
from django.urls import resolve
from django_q.models import Failure, OrmQ, Schedule, Success

from builds.models import Build
from crews.models import CrewLink
from deployments.models import BranchPreview, Deployment, Environment, Release
from dispatch.models import (
    AreaInterest,
    BookingSettings,
    Crew,
    Customer,
    Job,
    Photo,
    ServedZip,
    ServiceType,
    ServiceWindow,
    WindowException,
    WindowTemplate,
)
from notifications.models import Message, MessageTemplate, OptOut
from qdn.health import VIEWS
from tests.attacks.asking import session_of
from tests.attacks.page_forms import form_for
from tests.attacks.routes import routes
from tests.attacks.world import ROLES
from tracking.models import TrackingCheck, TrackingLink

pytestmark = pytest.mark.django_db
TABLE = Path(__file__).with_name("permissions.txt")
STATUSES = {401: "1", 403: "3", 404: "4", 405: "5"}
LOGIN, PAGE, DONE = ">", "+", "!"
# Tables that a request may write without having done anything.
BOOKKEEPING = ("django_session", "axes_", "deployments_refusedrequest")
# A list action on every row, confirmed.
ACTION = {"post": "yes", "confirmed": "yes", "reason": "Approved", "side": "firm"}
# Checked without a look-up in DNS, which tests cannot use.
ADDRESS = {"kind": "address", "target": "https://93.184.216.34/"}
# A tap of a crew.
TAP = {"act": "late", "job": "{stop}", "minutes": "15"}
# What a person types into the forms; the other fields are sent as the page shows them.
TYPED = {
    "": {"reason": "Approved", "post": "yes", "_save": "Save"},
    "/admin/auth/group/add/": {"name": "Drivers"},
    "/admin/auth/user/add/": {
        "username": "new",
        "password1": "x8-Kd_2mQ",
        "password2": "x8-Kd_2mQ",
    },
    "/admin/auth/user/{user}/password/": {"password1": "x8-Kd_2mQ", "password2": "x8-Kd_2mQ"},
    "/admin/deployments/hook/add/": {"environment": "{staging}", "moment": "after", **ADDRESS},
    "/admin/deployments/hook/{address}/change/": ADDRESS,
    "/admin/deployments/hook/{address_of_production}/change/": ADDRESS,
    "/admin/deployments/hook/{command}/change/": {"kind": "command", "target": "true"},
    "/admin/dispatch/crew/add/": {"name": "Night crew"},
    "/admin/dispatch/customer/add/": {"name": "Ann", "phone": "907-555-0199"},
    "/admin/dispatch/job/add/": {
        "phone": "907-555-0199",
        "contact_name": "Ann",
        "service": "{servicetype}",
        "address_line": "12 Chena Ridge Road",
        "town": "Fairbanks",
        "zip_code": "99709",
    },
    "/admin/dispatch/job/views/": {"do": "save", "name": "Held", "query": "work=out"},
    "/admin/dispatch/windowexception/add/": {"day": "2027-01-01", "reason": "Holiday"},
    "/admin/dispatch/windowtemplate/add/": {"weekday": "6", "start": "8:00", "end": "9:00"},
    "/admin/needs/snooze/": {"rule": "no-price", "job": "{job}", "hours": "4"},
    "/admin/notifications/messagetemplate/add/": {
        "event": "cancelled",
        "channel": "sms",
        "language": "es",
        "subject": "",
        "body": "Adios",
    },
    "/admin/notifications/messagetemplate/{messagetemplate}/change/": {"body": "Hello"},
    "/admin/notifications/optout/add/": {"phone": "907-555-0188"},
    "/book/request/": {
        "name": "Ann",
        "phone": "907-555-0199",
        "service": "junk",
        "address_line": "12 Chena Ridge Road",
        "town": "Fairbanks",
        "zip_code": "99709",
        "first_choice": "other",
        "price": "$120 all-in",
    },
    "/book/request/area/": {"area-zip_code": "90210", "area-email": "ann@example.com"},
    "/crew/{crew_token}": {**TAP, "key": "00000000-0000-4000-8000-000000000001"},
    "/crew/{crew_token}/": {**TAP, "key": "00000000-0000-4000-8000-000000000002"},
    "/crew/{crew_token}/photos/": {**TAP, "key": "00000000-0000-4000-8000-000000000003"},
    "/admin/dispatch/crew/{crew}/link/{today}/": {"do": "replace"},
    "/t/send/": {"to": "907-555-0199"},
    "/t/{token}/unlock/": {"digits": "0000"},
    "/admin/dispatch/job/{job}/tracking-link/": {"do": "revoke"},
    "/admin/dispatch/job/{job}/customer/": {"customer": "{other_job}"},
    "/admin/dispatch/servedzip/add/": {"zip_code": "99501", "town": "Anchorage"},
    "/admin/dispatch/job/{job_of_photo}/photos/": {"remove": "{photo}"},
    "/admin/dispatch/servicetype/add/": {"name": "Sheds", "code": "sheds", "kind": "haul"},
    "/admin/django_q/schedule/add/": {
        "func": "math.copysign",
        "schedule_type": "O",
        "repeats": "1",
    },
    "/admin/login/": {"username": "superuser", "password": "wrong"},
    "/admin/password_change/": {"old_password": "x", "new_password1": "y", "new_password2": "y"},
}

# What scripts send.
SENT_AS_JSON = {
    "/api/board/acts": {
        "act": "price",
        "revision": 2,
        "key": "5f0c1f6e-8a3c-4f5e-9f43-2f6f4b1a7c11",
        "text": "99 all-in",
        "reason": "Approved",
    }
}


class Row(NamedTuple):
    """A line of the table: an address with names for ids, maybe a list action, and the letters."""

    address: str
    action: str
    get: str
    post: str

    @property
    def key(self):
        return f"{self.address} {self.action}".strip()


def rows():
    lines = [line.split() for line in TABLE.read_text().splitlines() if line.startswith("/")]
    return [Row(line[0], line[1] if len(line) == 4 else "", line[-2], line[-1]) for line in lines]


ROWS = rows()


@pytest.fixture(scope="module")
def names(users):
    """What the names in the addresses stand for."""
    staging, production = (Environment.objects.get(name=n) for n in ("staging", "production"))
    first = {
        model.__name__.lower(): model._base_manager.order_by("pk").first().pk
        for model in (
            *(Job, Customer, Crew, ServiceType, ServedZip, AreaInterest, Release, Deployment),
            *(Message, MessageTemplate, OptOut, TrackingCheck),
            *(BranchPreview, Build, Group, Schedule, OrmQ, AccessAttempt),
            *(BookingSettings, ServiceWindow, WindowException, WindowTemplate),
        )
    }
    return {
        **first,
        "other_customer": Customer.objects.order_by("pk")[1].pk,
        "other_job": Job.objects.order_by("pk")[1].label,
        "user": User.objects.get(username="spare").pk,
        "guarded": staging.freezes.in_force().get().release.name,
        "staging": staging.pk,
        "production": production.pk,
        "operation": staging.operations.get().pk,
        "address": staging.hooks.get(kind="address").pk,
        "command": staging.hooks.get(kind="command").pk,
        "address_of_production": production.hooks.get(kind="address").pk,
        "success": Success.objects.get().pk,
        "failure": Failure.objects.get().pk,
        "contenttype": ContentType.objects.get_for_model(Job).pk,
        "job_of_photo": Photo.objects.first().job_id,
        "photo": Photo.objects.first().pk,
        "photo_file": Photo.objects.first().small.removeprefix("photos/"),
        "token": TrackingLink.objects.active().first().token,
        **crew_names(),
    }


def crew_names():
    """What the names in the addresses of a crew's page stand for."""
    link = CrewLink.objects.get(revoked_at=None)
    stop = link.crew.jobs.get(status="ready_for_pickup")
    return {"crew_token": link.token, "stop": stop.pk, "today": link.day}


@pytest.fixture(scope="module")
def sessions(users):
    return {role: session_of(users[role]) if role in users else "" for role in ROLES}


@pytest.fixture(scope="module")
def send():
    """Return a function that sends one request with a session."""
    client = Client()

    def send(session, method, path, data=None):
        client.cookies = SimpleCookie({"sessionid": session})  # an earlier answer may have set it
        if isinstance(data, str):
            return client.post(path, data, content_type="application/json")
        return client.generic(method, path) if data is None else client.post(path, data)

    return send


@pytest.fixture
def outcome(send, sessions):
    """Return a function that sends a request, undoes its writes, and returns its letter."""

    def outcome(role, method, path, data=None):
        with transaction.atomic(), connection.execute_wrapper(writes := Writes()):
            answer = send(sessions[role], method, path, data)
            transaction.set_rollback(True)
        if urlsplit(answer.headers.get("Location", "")).path == "/admin/login/":
            return LOGIN
        if writes.seen:
            return DONE
        # /readyz answers 503 when a part is not fine, and that is a page too.
        is_page = answer.status_code < 500 or path == "/readyz"
        return STATUSES.get(answer.status_code, PAGE if is_page else "?")

    return outcome


class Writes:
    """Notes the statements that changed rows."""

    def __init__(self):
        self.seen = []

    def __call__(self, execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        verb, is_bookkeeping = sql.split(None, 1)[0], any(table in sql for table in BOOKKEEPING)
        changed = verb in ("UPDATE", "DELETE") and context["cursor"].rowcount
        # SQLite does not count the rows of an INSERT that returns them.
        if (changed or verb == "INSERT") and not is_bookkeeping:
            self.seen.append(sql)
        return result


@pytest.fixture
def posted(send, sessions, names):
    """Return a function that gives what a superuser's browser sends from the page of a row."""

    def posted(row, path):
        form = {}
        if row.key in SENT_AS_JSON:
            return json.dumps(SENT_AS_JSON[row.key] | {"job": names["job"]})
        if row.action:
            model = apps.get_model(*row.address.strip("/").split("/")[1:])
            chosen = list(model._base_manager.values_list("pk", flat=True))
            return {**ACTION, "action": row.action, "_selected_action": chosen}
        if (page := send(sessions["superuser"], "GET", path)).status_code == 200:
            form = form_for(page.content.decode(errors="replace"), path)
        # Rows have other numbers where a test before has emptied the database.
        typed = {name: text.format(**names) for name, text in TYPED.get(row.key, {}).items()}
        return {**form, **TYPED[""], **typed}

    return posted


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.key)
def test_everyone_gets_what_the_table_says(row, outcome, posted, names):
    path = row.address.format(**names)
    data = posted(row, path)
    get = row.get if row.action else "".join(outcome(role, "GET", path) for role in ROLES)
    post = "".join(outcome(role, "POST", path, data) for role in ROLES)
    found = row._replace(get=get, post=post)
    assert found == row, f"{found.key}  {found.get}  {found.post}"


@pytest.mark.parametrize("row", [row for row in ROWS if not row.action], ids=lambda row: row.key)
def test_no_other_method_does_anything(row, outcome, names):
    path = row.address.format(**names)
    for method in ("PUT", "DELETE"):
        assert DONE not in [outcome(role, method, path) for role in ("anonymous", "superuser")]


def test_every_url_has_a_line(names):
    addresses = {row.address.format(**names).partition("?")[0] for row in ROWS}
    covered = {resolve(address).route for address in addresses - set(VIEWS)}
    covered |= {address.lstrip("/") for address in addresses & set(VIEWS)}
    missing = [route.pattern for route in routes() if route.pattern not in covered]
    assert missing == [], f"Add lines to {TABLE.name}."


def test_every_action_has_a_line(users):
    admin.autodiscover()
    request = RequestFactory().get("/")
    request.user = users["superuser"]
    actions = {
        f"/admin/{model._meta.label_lower.replace('.', '/')}/ {action}"
        for model, model_admin in admin.site._registry.items()
        for action in model_admin.get_actions(request)
    }
    missing = sorted(actions - {row.key for row in ROWS})
    assert not missing, f"Add lines to {TABLE.name}:\n" + "\n".join(missing)


def test_every_line_has_a_letter_for_each_role():
    wrong = [row.key for row in ROWS if {len(row.get), len(row.post)} != {len(ROLES)}]
    assert wrong == []
    letters = "".join(ROLES.values())
    assert f"{letters}  {letters}\n" in TABLE.read_text()


def test_no_get_does_anything():
    assert [row.key for row in ROWS if DONE in row.get] == []


def test_write_is_noticed_and_undone(outcome, names):
    path = f"/admin/dispatch/crew/{names['crew']}/change/"
    assert outcome("dispatcher", "POST", path, {"name": "Renamed"}) == DONE
    assert outcome("viewer", "POST", path, {"name": "Renamed"}) == STATUSES[403]
    assert not Crew.objects.filter(name="Renamed").exists()
