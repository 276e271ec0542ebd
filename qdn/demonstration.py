"""The demo of `bin/demo`: demo data, a first release, and their URLs."""

from collections.abc import Callable
from io import StringIO

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import OutputWrapper

from deployments.errors import Refused
from deployments.models import Environment
from deployments.routing.previews import site_of
from dispatch.demo import load_demo_jobs
from dispatch.models import Job
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
    call_command("promote", yes=True, stdout=out)


def refuse_in_production() -> None:
    """Refuse if DEBUG is off: the demo's password is public. Raises Refused."""
    if not settings.DEBUG:
        raise Refused(
            "not-a-demo",
            "The demo creates a login with a public password, and DEBUG is off.",
            "Run it on a development machine with DEBUG=true.",
        )


def urls() -> dict[str, str]:
    """Return the URLs to look at, by title."""
    site = settings.SITE_URL
    mark = Job.objects.filter(address_line__endswith=MARKS_STREET).earliest("number")
    return {
        "Home": f"{site}/",
        "Booking form": f"{site}/book/",
        "Mark's tracking link": tracking_url(ensure_link(job=mark, actor=LOGIN)),
        "Board": f"{site}/dashboard/",
        "Admin": f"{site}/admin/ (login {LOGIN}, password {PASSWORD})",
        "Staging": f"{site_of(get_backend(), Environment.objects.named('staging'))}/",
    }


def _create_login() -> None:
    users = get_user_model().objects
    if not users.filter(username=LOGIN).exists():
        users.create_superuser(LOGIN, f"{LOGIN}@example.com", PASSWORD)
