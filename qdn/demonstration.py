"""The demo of `bin/demo`: demo data, a first release, and their URLs."""

from collections.abc import Callable
from io import StringIO

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import OutputWrapper
from django.db.models import Count, Q
from django.utils import timezone

from crews.links import ensure_link as ensure_crew_link
from crews.links import link_address
from crews.models import CrewLink
from deployments.errors import Refused
from deployments.models import Environment
from deployments.routing.previews import site_of
from dispatch.demo import load_demo_jobs
from dispatch.models import Crew, Job
from dispatch.runs import on_day
from edge.backends import get_backend
from tracking.links import ensure_link, tracking_url
from tracking.publishing import publish_behind

LOGIN = "demo"
# Public, so call `refuse_in_production` before creating the login.
PASSWORD = "hauls-junk-all-day"  # noqa: S105
MARKS_STREET = "Soderblom Avenue"


def set_up(*, say: Callable[[str], None], out: StringIO | OutputWrapper) -> None:
    """Load demo data, push a release and promote it. Safe to repeat.

    `out` receives the output of the two commands.
    """
    say("Load demo jobs")
    load_demo_jobs(actor=LOGIN)
    for job in Job.objects.filter(tracking_links=None):
        ensure_link(job=job, actor=LOGIN)
    publish_behind(objects=get_backend().objects)
    _create_login()
    call_command("push", message="First release", stdout=out)
    # Nothing is published yet: the task cluster starts afterwards.
    call_command("promote", yes=True, no_tracking_check=True, stdout=out)


def refuse_in_production() -> None:
    """Refuse in production: the demo's password is public. Raises Refused.

    bin/demo turns DEBUG on, so what shows production is the SECRET_KEY in .env.
    """
    if not settings.DEBUG or settings.SECRET_KEY != settings.DEVELOPMENT_KEY:
        found = "SECRET_KEY is set" if settings.DEBUG else "DEBUG is off"
        raise Refused(
            "not-a-demo",
            f"The demo creates a login with a public password, and {found}.",
            "Run it on a development machine with DEBUG=true and without SECRET_KEY.",
        )


def urls() -> dict[str, str]:
    """Return the URLs to look at, by title."""
    site = settings.SITE_URL
    mark = Job.objects.filter(address_line__endswith=MARKS_STREET).earliest("number")
    return {
        "Home": f"{site}/",
        "Booking form": f"{site}/book/",
        "Mark's tracking link": tracking_url(ensure_link(job=mark, actor=LOGIN)),
        "A crew's page": link_address(_link_of_today()),
        "Board": f"{site}/dashboard/",
        **_emails(),
        "Admin": f"{site}/admin/ (login {LOGIN}, password {PASSWORD})",
        "Staging": f"{site_of(get_backend(), Environment.objects.named('staging'))}/",
    }


def _link_of_today() -> CrewLink:
    """Return the link of the crew that has most jobs today."""
    day = timezone.localdate()
    jobs = Count("jobs", filter=Q(jobs__in=on_day(day, today=day)))
    crew = Crew.objects.annotate(jobs_today=jobs).order_by("-jobs_today", "pk")[0]
    return ensure_crew_link(crew=crew, day=day, actor=LOGIN)


def _emails() -> dict[str, str]:
    """Return where to read the emails of the demo, if they are files."""
    _, is_file, folder = settings.EMAIL_URL.partition("filemail:///")
    return {"Emails to customers": f"{folder}/"} if is_file else {}


def _create_login() -> None:
    users = get_user_model().objects
    if not users.filter(username=LOGIN).exists():
        users.create_superuser(LOGIN, f"{LOGIN}@example.com", PASSWORD)
