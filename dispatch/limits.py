"""How often something may be done from one source: an address, a phone number, a link.

Sources are kept for a day, hashed with a key that is derived from SECRET_KEY.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from django.db.models import F
from django.utils import timezone
from django.utils.crypto import salted_hmac

from dispatch.errors import DispatchError
from dispatch.models import Counter, RecentAttempt

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# A customer's line has at least this network to choose addresses from.
IPV6_PREFIX = 64
ATTEMPTS = "attempts"


class LimitReached(DispatchError):
    """There were too many attempts; the next is allowed at `free_at`."""

    code = "limit-reached"

    def __init__(self, free_at: datetime) -> None:
        super().__init__(
            "Expected fewer attempts from one source; nothing was done.",
            f"Try again after {timezone.localtime(free_at):%Y-%m-%d %H:%M}.",
        )
        self.free_at = free_at


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` attempts from a hashed source within a time; 0 removes the limit."""

    source: str
    most: int
    within: timedelta

    def free_at(self, now: datetime, recent: Sequence[tuple[str, datetime]]) -> datetime:
        """Return when another attempt is allowed: `now`, or once an earlier one is old enough.

        `recent` are the sources and times of attempts, the latest first.
        """
        if not self.most:
            return now
        times = [at for source, at in recent if source == self.source and at > now - self.within]
        blocking = times[self.most - 1 : self.most]
        return max((at + self.within for at in blocking), default=now)


def count(limits: Sequence[Limit], *, also: Collection[str] = ()) -> None:
    """Count an attempt for each limit's source, and for the sources `also`, which have none.

    Exact only in a transaction that lets no other count the same: see take_turn. Raises
    LimitReached; then nothing is counted, so refused attempts do not prolong the wait.
    """
    now = timezone.now()
    recent = _recent({limit.source for limit in limits if limit.most}, now)
    free_at = max((limit.free_at(now, recent) for limit in limits), default=now)
    if free_at > now:
        raise LimitReached(free_at)
    sources = {limit.source for limit in limits} | set(also)
    RecentAttempt.objects.bulk_create(RecentAttempt(source=source, at=now) for source in sources)


def take_turn() -> None:
    """Wait for the others that count; they wait until this transaction has ended.

    One turn for all sources: an attempt holds it for a few queries.
    """
    mine = Counter.objects.filter(name=ATTEMPTS)
    if not mine.update(value=F("value") + 1):
        Counter.objects.get_or_create(name=ATTEMPTS, defaults={"value": 0})
        mine.update(value=F("value") + 1)


def forget_attempts(now: datetime) -> int:
    """Delete counts that are older than a day; return how many."""
    return RecentAttempt.objects.filter(at__lt=now - DAY).delete()[0]


def hashed(kind: str, value: str) -> str:
    """Return the keyed SHA-256 of a value in hex; each kind has a key of its own."""
    return salted_hmac(f"dispatch.limits.{kind}", value, algorithm="sha256").hexdigest()


def of_address(kind: str, address: str) -> str:
    """Return the hashed source of attempts of a kind from an IP address."""
    return hashed(kind, network_of(address))


def network_of(address: str) -> str:
    """Return an IPv4 address unchanged, and the network of an IPv6 address."""
    if ip_address(address).version == 4:  # noqa: PLR2004
        return address
    return str(ip_network((address, IPV6_PREFIX), strict=False))


def _recent(sources: Collection[str], now: datetime) -> Sequence[tuple[str, datetime]]:
    """Return the attempts of a day from these sources, the latest first, in one query."""
    rows = RecentAttempt.objects.filter(source__in=sources, at__gt=now - DAY)
    return list(rows.order_by("-at").values_list("source", "at"))
