"""Creating, finding and revoking tracking links."""

import secrets
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from dispatch.booking import create_job
from dispatch.models import Job
from dispatch.statuses import OPEN
from tracking.errors import LinkNotActive, LinkNotSent, ReasonMissing
from tracking.models import MAX_TOKEN_LENGTH, TrackingLink
from tracking.queue import request_publishing
from tracking.signals import link_replaced, link_resent

# 128 bits cannot be guessed (design section 7).
TOKEN_BYTES = 16
# /t/?link=<old link with ?token=...> is two. The limit protects the stack.
MAX_NESTED_LINKS = 3


def hash_token(token: str) -> str:
    """Return the token's SHA-256 in hex, the only form of it that the origin sees."""
    return sha256(token.encode()).hexdigest()


def tracking_url(link: TrackingLink) -> str:
    """Return the URL that a customer opens, or "" if only the token's SHA-256 is known."""
    return page_address(link.token) if link.token else ""


def page_address(token: str) -> str:
    """Return the URL of a token, which a link does not know after a restore."""
    return f"{settings.SITE_URL}/track/{quote(token, safe='')}"


def find_link(token: str) -> TrackingLink | None:
    """Return the active link of a token, or None if it is unknown or revoked.

    The link has the token even where the database does not.
    """
    if not 0 < len(token) <= MAX_TOKEN_LENGTH:
        return None
    links = TrackingLink.objects.active().select_related(
        "job__service", "job__crew", "job__customer"
    )
    link = links.filter(token_sha256=hash_token(token)).first()
    if link is not None:
        link.token = token  # the row may have its SHA-256 only
    return link


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
            found = query[name][0]
            # Else a token, which may look encoded.
            is_link = name == "link" or "/" in found or found.startswith("?")
            if not is_link:
                return found if found.strip(".") else ""
            return token_in(found, nesting=nesting - 1) if nesting else ""
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
    *, actor: str, dry_run: bool = False, **values: Any
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
    """Return the job's active link; create it if the job is open and never had a link.

    Returns None if its link was revoked: sending the booking form again must not undo that.
    """
    if job.status not in OPEN or TrackingLink.objects.filter(job=job).exists():
        return TrackingLink.objects.active().filter(job=job).first()
    return ensure_link(job=job, actor=actor)


def first_link(*, job: Job, actor: str) -> TrackingLink:
    """Create the link of a job that is created in the same transaction."""
    return _insert(job=job, actor=actor, revision=job.revision)


def ensure_open_links(*, actor: str) -> int:
    """Create a link for each open job that never had one, and return how many.

    Every new job gets one, so these came into the database in another way. Jobs whose link was
    revoked get none, or revoking would not last.
    """
    jobs = Job.objects.open().filter(tracking_links__isnull=True)
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
def resend_link(*, link: TrackingLink, actor: str) -> None:
    """Have a link sent to its customer once more. Raises LinkNotActive or LinkNotSent."""
    active = TrackingLink.objects.active().filter(pk=link.pk).first()
    if active is None:
        raise LinkNotActive(f"Expected an active link, but {link} is revoked.", "Nothing was sent.")
    if not active.token:
        raise LinkNotSent("Only the hash of this link is known.", "Replace the link instead.")
    answers = link_resent.send(sender=TrackingLink, link=active, actor=actor)
    if not any(reachable for _, reachable in answers):
        raise LinkNotSent(
            "The job has no email address, and no consent to text messages.", "Call the customer."
        )


@transaction.atomic
def rotate(*, link: TrackingLink, actor: str, reason: str) -> TrackingLink:
    """Revoke a link and create a new one. Raises ReasonMissing or LinkNotActive."""
    revoke_link(link=link, actor=actor, reason=reason)
    new = _create(job=link.job, actor=actor)
    link_replaced.send(sender=TrackingLink, link=new, actor=actor)
    return new


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
    """Create a link of an existing job. The lock lets no change pass between reading and writing:
    it would find no link to mark as due."""
    locked = Job.with_probes.select_for_update(no_key=True).filter(pk=job.pk)
    return _insert(job=job, actor=actor, revision=locked.values_list("revision", flat=True).get())


def _insert(*, job: Job, actor: str, revision: int) -> TrackingLink:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    return TrackingLink.objects.create(
        job=job,
        token=token,
        token_sha256=hash_token(token),
        created_by=actor,
        due_revision=revision,
        due_since=Now(),
    )
