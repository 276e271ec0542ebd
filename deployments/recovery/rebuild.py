"""Rebuilding the history: releases, functions and deployments into an empty database.

Read from the audit objects alone (deployments/recovery/trail.py), written in one transaction. Rows
get their times and deployments their numbers back. Not in the bucket, and so lost: deployments that
nobody saw the end of, freezes set by hand, counted invalidations, what `provision` keeps of stacks.
"""

from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate

from django.core.management.color import no_style
from django.db import connection, transaction
from django.utils import timezone

from deployments.audit import DeploymentRecord, Identity, ReleaseRecord
from deployments.deploy import freezes
from deployments.errors import Refused
from deployments.models import (
    Deployment,
    Distribution,
    Environment,
    Freeze,
    FunctionVersion,
    Outcome,
    Release,
)
from deployments.recovery.trail import Trail, read_trail
from deployments.seeding import ENVIRONMENTS
from edge.protocols import ObjectStore

# By how much the clocks of two machines may differ.
SKEW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Rebuilding:
    """What would be restored. `identities` are of the environments to restore, by name."""

    trail: Trail
    identities: dict[str, Identity]

    @property
    def deployments(self) -> list[DeploymentRecord]:
        """The deployments in the order they were made: of their numbers, or else of time."""
        return self.trail.deployments if self.is_renumbered else _numbered(self.trail)

    @property
    def numbers(self) -> list[int]:
        """The deployments' numbers, in the order of `deployments`.

        They are their own unless more than one history lies in the bucket: then all are numbered
        anew, in the order of time.
        """
        own = [one.number for one in self.deployments]
        return list(range(1, len(own) + 1)) if self.is_renumbered else own

    @property
    def is_renumbered(self) -> bool:
        return not _is_one_history(_numbered(self.trail))

    @property
    def removed(self) -> int:
        """How many releases are restored as removed: their objects are gone."""
        return len(self.trail.releases) - len(self.trail.whole)

    @property
    def counts(self) -> dict[str, int]:
        return {
            "environments": len(self.identities),
            "releases": len(self.trail.releases),
            "removed": self.removed,
            "functions": len(self.trail.functions),
            "deployments": len(self.trail.deployments),
        }


def plan_rebuilding(objects: ObjectStore) -> Rebuilding:
    """Read what can be restored. Raises Refused: the database has a history, the bucket none."""
    _check_empty()
    trail = read_trail(objects)
    if not trail:
        raise Refused(
            "nothing-to-restore",
            "The object store has no audit objects.",
            "Look whether this is the right store: EDGE_BACKEND, EDGE_BUCKET or DATA_DIR.",
        )
    made = Rebuilding(trail, {}).deployments
    last = {one.environment: one.identity for one in made}
    return Rebuilding(trail, {name: last[name] for name in last if _is_untouched(name)})


def _numbered(trail: Trail) -> list[DeploymentRecord]:
    return sorted(trail.deployments, key=lambda one: one.number)


def _is_one_history(numbered: list[DeploymentRecord]) -> bool:
    """Tell whether numbers are those of one database: none comes twice, and time goes on with them.

    Each deployment has the time of the machine it was made on, so that it may go back a little.
    """
    latest = list(accumulate((one.at for one in numbered), max))
    goes_on = all(then - one.at <= SKEW for one, then in zip(numbered, latest, strict=True))
    return goes_on and len({one.number for one in numbered}) == len(numbered)


def check_undamaged(rebuilding: Rebuilding) -> None:
    """Refuse what cannot be restored whole. Raises Refused (`audit-damaged`)."""
    damaged = rebuilding.trail.damaged
    if damaged:
        key, fault = next(iter(damaged.items()))
        raise Refused(
            "audit-damaged",
            f"{len(damaged)} audit objects cannot be used, first {key}: {fault}.",
            "See all with --dry-run. Bring them back, or leave out what they tell of: "
            "manage.py rebuild_history --skip-damaged",
        )


@transaction.atomic
def restore(rebuilding: Rebuilding) -> None:
    """Write the rows. Raises Refused when somebody began a history meanwhile."""
    _check_empty()
    for name, identity in rebuilding.identities.items():
        _restore_environment(name, identity)
    _restore_releases(rebuilding.trail)
    _restore_functions(rebuilding)
    _restore_deployments(rebuilding)
    for environment in Environment.objects.all():
        _freeze_again(environment)


def _check_empty() -> None:
    counts = [(one._meta.verbose_name_plural, one.objects.count()) for one in (Release, Deployment)]
    if any(count for _, count in counts):
        found = " and ".join(f"{count} {name}" for name, count in counts)
        raise Refused(
            "history-not-empty",
            f"The database has {found}; a history is rebuilt into an empty one only.",
            "Point DATABASE_URL at a new database and run there: manage.py migrate, then "
            "manage.py rebuild_history",
        )


def _is_untouched(name: str) -> bool:
    """Tell whether an environment is missing, or still what the first migration made of it."""
    found = Environment.objects.filter(name=name).first()
    if found is None:
        return True
    seeded = {"strategy": "pointer", **ENVIRONMENTS.get(name, {})}
    is_seeded = all(getattr(found, field) == value for field, value in seeded.items())
    return is_seeded and name in ENVIRONMENTS and not found.distributions.exists()


def _restore_environment(name: str, identity: Identity) -> None:
    environment, _ = Environment.objects.update_or_create(
        name=name,
        defaults={
            "hosts": identity.hosts,
            "protected": identity.protected,
            "strategy": identity.strategy,
        },
    )
    for one in identity.distributions:
        Distribution.objects.get_or_create(
            remote_id=one["remote_id"], defaults={"environment": environment, **one}
        )


def _restore_releases(trail: Trail) -> None:
    """Restore the releases in the order they were made, as their rows are in."""
    records = sorted(trail.releases.values(), key=lambda one: (one.created_at, one.name))
    Release.objects.bulk_create(_release(one, one.name in trail.whole) for one in records)


def _release(record: ReleaseRecord, is_whole: bool) -> Release:
    """Make the row of a release; prune looks again at one whose manifest is gone."""
    now = timezone.now()
    return Release(
        name=record.name,
        digest=record.digest,
        files=record.files,
        bytes=record.bytes,
        pages=record.pages,
        message=record.message,
        created_at=record.created_at,
        created_by=record.created_by,
        completed_at=record.created_at if is_whole or record.removed_at else None,
        pinned=record.pinned,
        marked_at=None if is_whole else now,
        removed_at=None if is_whole else record.removed_at or now,
    )


def _restore_functions(rebuilding: Rebuilding) -> None:
    """Restore function versions, with who deployed them first, and when."""
    first: dict[str, DeploymentRecord] = {}
    for one in rebuilding.deployments:
        first.setdefault(one.function, one)
    FunctionVersion.objects.bulk_create(
        FunctionVersion(
            digest=digest,
            source=rebuilding.trail.functions[digest],
            created_at=one.at,
            created_by=one.actor,
        )
        for digest, one in first.items()
    )


def _restore_deployments(rebuilding: Rebuilding) -> None:
    environments = {one.name: one for one in Environment.objects.all()}
    releases = {one.name: one for one in Release.objects.all()}
    functions = {one.digest: one for one in FunctionVersion.objects.all()}
    records = rebuilding.deployments
    rows = [
        Deployment(
            pk=number,
            environment=environments[one.environment],
            release=releases[one.release],
            replaced=releases.get(one.previous or ""),
            function=functions[one.function],
            kind=one.kind,
            percent=one.percent,
            strategy=one.strategy,
            actor=one.actor,
            reason=one.reason,
            at=one.at,
        )
        for number, one in zip(rebuilding.numbers, records, strict=True)
    ]
    Deployment.objects.bulk_create(rows)
    Outcome.objects.bulk_create(
        Outcome(deployment=row, result=one.result, detail=one.detail, at=one.ended_at)
        for row, one in zip(rows, records, strict=True)
    )
    _count_on()


def _count_on() -> None:
    """Let the next deployment's number follow the restored ones."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [Deployment]):
            cursor.execute(statement)


def _freeze_again(environment: Environment) -> None:
    """Freeze the release that a rollback left, where nothing was deployed since."""
    live = environment.live
    if live and live.kind == Deployment.Kind.ROLLBACK:
        freezes.keep_up(live)
        Freeze.objects.filter(environment=environment).update(at=live.at)
