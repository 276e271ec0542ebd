"""Making, finding and revoking the links of crews."""

import secrets
from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from crews.models import CrewLink
from dispatch.models import Crew
from tracking.links import TOKEN_BYTES, hash_token

# A late job ends after midnight, but not after this hour.
ENDS_AT = time(4)
# Kept after its end, to see who made it.
KEPT = timedelta(days=7)


def ends_of(day: date) -> datetime:
    """Return when the link of a day ends: at 4 the next morning."""
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), ENDS_AT))


def find_link(token: str, now: datetime) -> CrewLink | None:
    """Return the link of a token if it is open at `now`.

    The same work for links that are unknown, revoked, over and not open yet.
    """
    links = CrewLink.objects.select_related("crew")
    link = links.filter(token_sha256=hash_token(token)).first()
    return link if link is not None and link.is_open(now) else None


def active_link(crew: Crew, day: date) -> CrewLink | None:
    """Return the link of a crew's day that was not revoked, or None."""
    return CrewLink.objects.filter(crew=crew, day=day, revoked_at__isnull=True).first()


def link_address(link: CrewLink) -> str:
    """Return the URL that the crew opens."""
    return f"{settings.SITE_URL}{reverse('crews:run', args=[link.token])}"


def ensure_link(*, crew: Crew, day: date, actor: str) -> CrewLink:
    """Return the active link of a crew's day; make it if there is none."""
    if link := active_link(crew, day):
        return link
    token = secrets.token_urlsafe(TOKEN_BYTES)
    try:
        with transaction.atomic():
            return CrewLink.objects.create(
                crew=crew,
                day=day,
                token=token,
                token_sha256=hash_token(token),
                created_by=actor,
                ends_at=ends_of(day),
            )
    except IntegrityError:
        # Another request made it at the same time; the constraint let one through.
        return CrewLink.objects.get(crew=crew, day=day, revoked_at__isnull=True)


def revoke_link(*, crew: Crew, day: date, actor: str) -> bool:
    """Revoke the active link of a crew's day; return whether there was one."""
    active = CrewLink.objects.filter(crew=crew, day=day, revoked_at__isnull=True)
    return bool(active.update(revoked_at=timezone.now(), revoked_by=actor))


@transaction.atomic
def replace_link(*, crew: Crew, day: date, actor: str) -> CrewLink:
    """Revoke the active link of a crew's day, and return a new one."""
    revoke_link(crew=crew, day=day, actor=actor)
    return ensure_link(crew=crew, day=day, actor=actor)


def purge_links(now: datetime) -> int:
    """Delete links that ended a week ago; return how many there were."""
    return CrewLink.objects.filter(ends_at__lt=now - KEPT).delete()[0]
