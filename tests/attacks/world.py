"""The installation that is attacked: one row of everything, and a user in each role."""

import io
from datetime import datetime, timedelta
from pathlib import Path

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone
from django_q.models import OrmQ, Schedule, Task
from django_q.signing import SignedPackage

from builds.models import Build, BuildLog, Delivery
from crews.links import ensure_link
from crews.links import revoke_link as revoke_crew_link
from deployments.models import (
    ApiToken,
    AssetSweep,
    DeployLock,
    Distribution,
    Environment,
    Freeze,
    Hook,
    HookRun,
    Invalidation,
    Maintenance,
    Operation,
    RefusedRequest,
    Release,
    Step,
)
from deployments.previews import push_preview
from deployments.push import push
from deployments.seeding import OPERATORS
from dispatch.models import (
    AreaInterest,
    BookingSettings,
    Job,
    JobEvent,
    PriceRule,
    RecentAttempt,
    Run,
    SavedView,
    ServiceType,
    Snooze,
    TextConsent,
    WindowException,
    Word,
)
from dispatch.photos.intake import ready_photo
from dispatch.photos.storing import add_photos
from dispatch.seeding import DISPATCHERS
from dispatch.statuses import Status
from edge.models import Invalidation as EdgeInvalidation
from notifications.kinds import State
from notifications.models import Message, MessageTemplate, OptOut
from qdn.models import Heartbeat, MissingRun
from tests.builders import make_crew, make_customer, make_job, make_price, make_window
from tests.deployments.sites import Operator
from tests.photo_files import jpeg
from tests.tracking.builders import make_link
from tracking.models import TrackingCheck

# With the letter that stands for each in permissions.txt.
ROLES = {
    "anonymous": "a",
    "member": "m",  # has an account, but is not staff
    "staff": "s",  # without any permission
    "viewer": "v",  # may view everything
    "dispatcher": "d",
    "stager": "g",  # may deploy to staging only
    "operator": "o",
    "superuser": "u",
}


def make_all(backend, folder: Path) -> dict[str, User]:
    """Make a row of everything, with sites in a folder; return the users by role."""
    users = make_users()
    make_jobs()
    deploy_releases(backend, folder)
    make_operations()
    make_build()
    make_hooks_and_tokens()
    make_logs(users["superuser"])
    return users


def make_users() -> dict[str, User]:
    """Make the users of the roles, if they are missing, and another one to practise on."""
    password = make_password(None)  # random, and opens nothing
    User.objects.get_or_create(username="spare", defaults={"password": password})
    users = {}
    for role in ROLES.keys() - {"anonymous"}:
        powers = {
            "is_active": True,
            "is_staff": role != "member",
            "is_superuser": role == "superuser",
            "password": make_password(None),
        }
        users[role], _ = User.objects.update_or_create(username=role, defaults=powers)
        users[role].user_permissions.set(_permissions(role))
        users[role].groups.set(_groups(role))
    return users


def _permissions(role: str):
    if role == "viewer":
        return Permission.objects.filter(codename__startswith="view_")
    if role == "stager":
        names = ["view_environment", "deploy_to_staging"]
        return Permission.objects.filter(codename__in=names)
    return []


def _groups(role: str):
    names = {"dispatcher": DISPATCHERS, "operator": OPERATORS}
    return Group.objects.filter(name=names.get(role, ""))


def make_jobs() -> None:
    """Make a job in each status, with prices, consents and links, one of them revoked."""
    crew, now = make_crew(), timezone.now()
    window = {"window_start": now, "window_end": now + timedelta(hours=2), "crew": crew}
    held = {"on_hold": True, "hold_reason": "Waits for a permit"}
    for values in (
        {"status": Status.REQUESTED},
        {"status": Status.SCHEDULED, **window},
        {"status": Status.ON_SITE, "service": "dumpster-10", **window},
        {"status": Status.READY_FOR_PICKUP, **window},
        {"status": Status.EN_ROUTE, **held, **window},
        {"status": Status.IN_PROGRESS, **window},
        {"status": Status.COMPLETED, **window},
        {"status": Status.CANCELLED},
        {"status": Status.SCHEDULED, "service": "dumpster-20", **window},
    ):
        _make_job(values)
    make_messages()
    make_link(job=Job.objects.first(), revoked=True, token="revoked-link-of-a-job")
    make_rules(now)


def make_messages() -> None:
    """Make messages that cannot be sent again, and one that can; a text; and an opt-out."""
    job = Job.objects.all()[0]
    for state in (State.FAILED, State.UNKNOWN, State.SENT):
        Message.objects.create(
            job=job,
            event="received",
            key=f"revision {state}",
            channel="email",
            recipient="dana@example.com",
            language="en",
            subject="We have your request",
            body="Hi Dana, see {link}",
            error="The server answered 550",
            caused_by="customer",
            state=state,
        )
    text = {"subject": "Hello {first_name}", "body": "Your job is {number}"}
    MessageTemplate.objects.create(event="received", channel="email", language="en", **text)
    OptOut.objects.create(phone="+19075550177")


def make_rules(now: datetime) -> None:
    """Make what bookings depend on, and what they leave besides jobs."""
    service, job = ServiceType.objects.get(code="junk"), Job.objects.all()[0]
    service.save()  # its first save since it was seeded begins its history
    PriceRule.objects.create(service=service, cents=12_000, valid_from=timezone.localdate())
    WindowException.objects.create(day=timezone.localdate(), reason="Crew is ill", actor="dana")
    BookingSettings().save()
    Run.objects.create(crew=make_crew(), day=timezone.localdate(), order=[job.pk], actor="dana")
    Snooze.objects.create(rule="no-price", job=job, until=now, reason="Calls back", actor="dana")
    Word.objects.create(search_text=" chena ")
    SavedView.objects.create(name="Downtown", query="status__exact=scheduled")
    make_window(now + timedelta(days=1), taken=1)  # a wrong count, to be corrected
    make_crew_links()
    AreaInterest.objects.create(zip_code="99999", email="far@example.com")
    photo = ready_photo(io.BytesIO(jpeg()), name="couch.jpg")
    add_photos(job=job, photos=[photo], actor="customer")


def make_crew_links() -> None:
    """Make an open link for the crew that has jobs today, and a revoked one."""
    crew, day = Job.objects.exclude(crew=None).first().crew, timezone.localdate()
    ensure_link(crew=crew, day=day, actor="dana")
    revoke_crew_link(crew=crew, day=day, actor="olga")
    ensure_link(crew=crew, day=day, actor="dana")


def _make_job(values: dict) -> None:
    customer = make_customer(email="dana@example.com")
    job = make_job(
        customer=customer,
        unit="4",
        details="A couch",
        access_notes="Gate code 1234",
        **values,
    )
    make_price(job, reason="As agreed")
    make_link(job=job, token=f"link-of-job-{job.number}")
    TextConsent.objects.create(job=job, version="1", text="I agree", ip_address="2001:db8::1")
    Job.objects.filter(pk=job.pk).update(revision=2)
    change = {"details": ["", "A couch"]}
    JobEvent.objects.create(
        job=job, kind="details", status=job.status, revision=2, actor="dana", changes=change
    )


def deploy_releases(backend, folder: Path) -> None:
    """Deploy the surfaces to production, after another site, and a third site to staging.

    A fourth one is pushed to no environment, and shown for two branches.
    """
    folder.mkdir(exist_ok=True)
    operator = Operator(backend, folder)
    # The value of its header, `noindex`, is too short to be looked for.
    Environment.objects.filter(name="staging").update(noindex=False)
    staging = Environment.objects.get(name="staging")
    operator.push("A")
    operator.promote()
    push(backend, staging, caller=operator.caller, message="Surfaces")
    operator.promote()
    operator.push("B")
    operator.release("C")
    options = {"caller": operator.caller, "source": folder / "site-C"}
    push_preview(backend, staging, branch="feature/login", **options)
    push_preview(backend, staging, branch="feature/logout", **options)


def make_operations() -> None:
    """Make a row of what deploying leaves behind: freezes, locks, operations, tasks."""
    now = timezone.now()
    staging, production = (Environment.objects.get(name=one) for one in ("staging", "production"))
    for environment in (staging, production):
        operation = Operation.objects.create(
            environment=environment, kind="push", actor="olga", reason="New prices", state="done"
        )
        Step.objects.create(operation=operation, line="Built the surfaces")
        Maintenance.objects.create(
            environment=environment, on=False, message="", reason="Over", actor="olga"
        )
        held_back = {"release": Release.objects.first(), "reason": "Broken", "actor": "olga"}
        Freeze.objects.create(environment=environment, **held_back)
    lifted = {"lifted_at": now, "lifted_by": "olga"}
    Freeze.objects.create(environment=production, reason="Holiday", actor="olga", **lifted)
    Distribution.objects.create(
        environment=staging, remote_id="E1", domain="d1.cloudfront.net", paths=["/*"]
    )
    Invalidation.objects.create(
        environment=staging, distribution="E1", reference="r-1", paths=1, actor="olga"
    )
    EdgeInvalidation.objects.update_or_create(
        reference="r-1", defaults={"number": 10**6, "paths": ["/nowhere"]}
    )
    lease = {"holder": "olga", "host": "elsewhere", "pid": 1, "expires_at": now}
    DeployLock.objects.create(environment=staging, reason="Push", acquired_at=now, **lease)
    AssetSweep.objects.create(**lease)


def make_build() -> None:
    """Make a build with its log, and the webhook of one."""
    build = Build.objects.create(
        repository="/srv/site.git",
        branch="main",
        commit="1" * 40,
        author="Dana",
        message="New prices",
        actor="olga",
        state="failed",
        ended_at=timezone.now(),
    )
    BuildLog.objects.create(build=build, kind="output", text="npm ci\n")
    Delivery.objects.create(name="0123-4567", sha256="0" * 64)


def make_hooks_and_tokens() -> None:
    """Make a hook of each kind in each environment, turned off, and a token that was revoked."""
    now = timezone.now()
    for environment in Environment.objects.all():
        address = {"kind": "address", "target": "https://example.com/hook", "secret": "signs"}
        for target in (address, {"kind": "command", "target": "true"}):
            hook = Hook.objects.create(
                environment=environment, moment="after", active=False, created_by="olga", **target
            )
            HookRun.objects.create(hook=hook, payload={"event": "after"}, detail="Status 200")
    token = ApiToken.objects.create(
        name="ci", sha256="0" * 64, actions=["push"], expires_at=now, created_by="olga"
    )
    token.environments.set(Environment.objects.all())
    RefusedRequest.objects.create(network="2001:db8::3", code="token-ended", token=token)


def make_logs(user: User) -> None:
    """Make a row of what others keep: the queue, the admin, the lock-out, the booking limits."""
    now = timezone.now()
    RecentAttempt.objects.create(source="hashed", at=now)
    TrackingCheck.objects.create(environment="production", problem="Not published in time.")
    Heartbeat.objects.update_or_create(queue="test", defaults={"replaced_why": "No progress"})
    MissingRun.objects.create(schedule=Schedule.objects.first(), task="task", missed_at=now)
    login = {"username": "ines", "ip_address": "2001:db8::2", "user_agent": "x", "path_info": "/"}
    AccessAttempt.objects.create(**login, failures_since_start=1)
    AccessFailureLog.objects.create(**login)
    AccessLog.objects.create(**login)
    for success in (True, False):
        Task.objects.create(
            id=f"task-that-ended-{success}",
            name="task",
            func="a.b",
            started=now,
            stopped=now,
            success=success,
        )
    package = SignedPackage.dumps({"id": "queued", "name": "queued", "func": "a.b", "args": ()})
    OrmQ.objects.create(key="quickdumpnow", payload=package, lock=now)
    LogEntry.objects.create(
        user=user,
        content_type=ContentType.objects.get_for_model(Job),
        object_id=str(Job.objects.first().pk),
        object_repr="QDN-1001",
        action_flag=CHANGE,
        change_message="Changed details.",
    )
