"""How links come to be, are found, and are taken back."""

import secrets
from hashlib import sha256
from urllib.parse import parse_qs, quote, unquote, urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from dispatch.models import Job
from dispatch.statuses import OPEN
from tracking.errors import LinkNotActive, ReasonMissing
from tracking.models import LONGEST_TOKEN, TrackingLink
from tracking.queue import request_publishing

# 128 bits: nobody finds one by trying (design section 7).
TOKEN_BYTES = 16
# /t/?link=<old link with ?token=...> are two; endless ones would exhaust the stack.
MOST_WRAPS = 3


def hash_token(token: str) -> str:
    """Give the SHA-256 in hex: all that names anything at the origin."""
    return sha256(token.encode()).hexdigest()


def tracking_url(link: TrackingLink) -> str:
    """Give the address a customer opens."""
    return f"{settings.SITE_URL}/track/{quote(link.token, safe='')}"


def find_link(token: str) -> TrackingLink | None:
    """Find the active link of a token. Unknown and revoked ones look alike: None."""
    if not 0 < len(token) <= LONGEST_TOKEN:
        return None
    links = TrackingLink.objects.active().select_related("job__service", "job__crew")
    return links.filter(token_sha256=hash_token(token)).first()


def token_in(text: str, *, wraps: int = MOST_WRAPS) -> str:
    """Read the token out of what somebody pasted: a link, old or new, or the bare code.

    Gives "" when there is none. `wraps` is how many addresses may stand in one another.
    """
    try:
        parts = urlsplit(text.strip())
    except ValueError:  # like "https://[example.com/": no address at all
        return ""
    query = parse_qs(parts.query)
    for name in ("token", "t", "link"):
        if query.get(name):
            return token_in(query[name][0], wraps=wraps - 1) if wraps else ""
    segments = [part for part in parts.path.split("/") if part]
    if len(segments) > 1 or (segments and not parts.scheme and not parts.netloc):
        token = unquote(segments[-1])
        return token if "/" not in token and token.strip(".") else ""
    return ""


@transaction.atomic
def ensure_link(*, job: Job, actor: str) -> TrackingLink:
    """Give the job's active link, and make one when it has none."""
    link, made = _get_or_create(job=job, actor=actor)
    if made:
        request_publishing()
    return link


def ensure_first_link(*, job: Job, actor: str) -> TrackingLink | None:
    """Give the job's active link, and make one when it never had any.

    None where its link was revoked: whoever sends the booking form again does not undo that.
    """
    if TrackingLink.objects.filter(job=job).exists():
        return TrackingLink.objects.active().filter(job=job).first()
    return ensure_link(job=job, actor=actor)


def ensure_open_links(*, actor: str) -> int:
    """Make a link for each open job that never had one; tell how many.

    A job whose link was revoked gets none: taking a link away would not last otherwise. Whoever
    calls this publishes.
    """
    jobs = Job.objects.filter(status__in=OPEN, tracking_links__isnull=True)
    return sum(_get_or_create(job=job, actor=actor)[1] for job in jobs)


@transaction.atomic
def revoke_link(*, link: TrackingLink, actor: str, reason: str) -> None:
    """Take a link back; its document is deleted by the next publishing.

    Raises ReasonMissing, LinkNotActive.
    """
    if not reason.strip():
        raise ReasonMissing("Revoking a tracking link needs a reason.", "Say why it is revoked.")
    revoked = TrackingLink.objects.active().filter(pk=link.pk)
    values = {"revoked_at": timezone.now(), "revoked_by": actor, "revoke_reason": reason.strip()}
    if revoked.update(**values) != 1:
        raise LinkNotActive(
            f"Expected an active link, but {link} is revoked already.", "Nothing was changed."
        )
    for name, value in values.items():
        setattr(link, name, value)
    request_publishing()


@transaction.atomic
def rotate(*, link: TrackingLink, actor: str, reason: str) -> TrackingLink:
    """Replace a link by a new one in one step. Raises ReasonMissing, LinkNotActive."""
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
        # Somebody else made it between our look and our write; the constraint let one through.
        return active.get(), False


def _create(*, job: Job, actor: str) -> TrackingLink:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    return TrackingLink.objects.create(
        job=job, token=token, token_sha256=hash_token(token), created_by=actor
    )
