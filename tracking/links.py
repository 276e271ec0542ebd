"""Creating, finding and revoking tracking links."""

import secrets
from hashlib import sha256
from urllib.parse import parse_qs, quote, unquote, urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from dispatch.booking import create_job
from dispatch.models import Job
from dispatch.statuses import OPEN
from tracking.errors import LinkNotActive, ReasonMissing
from tracking.models import MAX_TOKEN_LENGTH, TrackingLink
from tracking.queue import request_publishing

# 128 bits cannot be guessed (design section 7).
TOKEN_BYTES = 16
# /t/?link=<old link with ?token=...> is two. The limit protects the stack.
MAX_NESTED_LINKS = 3


def hash_token(token: str) -> str:
    """Return the token's SHA-256 in hex, the only form of it that the origin sees."""
    return sha256(token.encode()).hexdigest()


def tracking_url(link: TrackingLink) -> str:
    """Return the URL that a customer opens."""
    return f"{settings.SITE_URL}/track/{quote(link.token, safe='')}"


def find_link(token: str) -> TrackingLink | None:
    """Return the active link of a token, or None if it is unknown or revoked."""
    if not 0 < len(token) <= MAX_TOKEN_LENGTH:
        return None
    links = TrackingLink.objects.active().select_related("job__service", "job__crew")
    return links.filter(token_sha256=hash_token(token)).first()


def token_in(text: str, *, nesting: int = MAX_NESTED_LINKS) -> str:
    """Return the token in pasted text, which is a link, old or new, or the bare token.

    Returns "" if there is none. `nesting` is how many links may be nested in one another.
    """
    try:
        parts = urlsplit(text.strip())
    except ValueError:  # "https://[example.com/" is not a URL
        return ""
    query = parse_qs(parts.query)
    for name in ("token", "t", "link"):
        if query.get(name):
            return token_in(query[name][0], nesting=nesting - 1) if nesting else ""
    segments = [part for part in parts.path.split("/") if part]
    if len(segments) > 1 or (segments and not parts.scheme and not parts.netloc):
        token = unquote(segments[-1])
        return token if "/" not in token and token.strip(".") else ""
    return ""


@transaction.atomic
def ensure_link(*, job: Job, actor: str) -> TrackingLink:
    """Return the job's active link; create it if there is none."""
    link, created = _get_or_create(job=job, actor=actor)
    if created:
        request_publishing()
    return link


@transaction.atomic
def create_tracked_job(
    *, actor: str, dry_run: bool = False, **values: str
) -> tuple[Job, TrackingLink | None]:
    """Create a job (see dispatch.booking.create_job) with its tracking link.

    A dry run checks the values, saves nothing and returns no link.
    """
    job = create_job(actor=actor, **values)
    if dry_run:
        transaction.set_rollback(True)
        return job, None
    return job, ensure_link(job=job, actor=actor)


def ensure_first_link(*, job: Job, actor: str) -> TrackingLink | None:
    """Return the job's active link; create it if the job never had a link.

    Returns None if its link was revoked: sending the booking form again must not undo that.
    """
    if TrackingLink.objects.filter(job=job).exists():
        return TrackingLink.objects.active().filter(job=job).first()
    return ensure_link(job=job, actor=actor)


def ensure_open_links(*, actor: str) -> int:
    """Create a link for each open job that never had one, and return how many.

    Jobs whose link was revoked get none, or revoking would not last. The caller publishes.
    """
    jobs = Job.objects.filter(status__in=OPEN, tracking_links__isnull=True)
    return sum(_get_or_create(job=job, actor=actor)[1] for job in jobs)


@transaction.atomic
def revoke_link(*, link: TrackingLink, actor: str, reason: str) -> None:
    """Revoke a link. The next publishing deletes its document.

    Raises ReasonMissing or LinkNotActive.
    """
    if not reason.strip():
        raise ReasonMissing("Revoking a tracking link needs a reason.", "Enter a reason.")
    revoked = TrackingLink.objects.active().filter(pk=link.pk)
    values = {"revoked_at": timezone.now(), "revoked_by": actor, "revoke_reason": reason.strip()}
    if revoked.update(**values) != 1:
        raise LinkNotActive(
            f"Expected an active link, but {link} is already revoked.", "Nothing was changed."
        )
    for name, value in values.items():
        setattr(link, name, value)
    request_publishing()


@transaction.atomic
def rotate(*, link: TrackingLink, actor: str, reason: str) -> TrackingLink:
    """Revoke a link and create a new one. Raises ReasonMissing or LinkNotActive."""
    revoke_link(link=link, actor=actor, reason=reason)
    return _create(job=link.job, actor=actor)


def _get_or_create(*, job: Job, actor: str) -> tuple[TrackingLink, bool]:
    active = TrackingLink.objects.active().filter(job=job)
    if link := active.first():
        return link, False
    try:
        with transaction.atomic():
            return _create(job=job, actor=actor), True
    except IntegrityError:
        # A concurrent request created it first; the constraint let one through.
        return active.get(), False


def _create(*, job: Job, actor: str) -> TrackingLink:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    return TrackingLink.objects.create(
        job=job, token=token, token_sha256=hash_token(token), created_by=actor
    )
