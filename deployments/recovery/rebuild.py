"""Rebuilding the history: releases, functions and deployments into an empty database.

It is read from the audit objects alone (deployments/recovery/trail.py) and written in one
transaction. Rows get their original times, and deployments their numbers. The store does not have,
so these are lost: deployments without an outcome, freezes set by hand, counted invalidations, and
the records `provision` keeps of stacks.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import accumulate
from typing import Any

from django.core.management.color import no_style
from django.db import connection, transaction

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
from deployments.wording import plural
from edge.database_clock import database_now
from edge.protocols import ObjectStore

# By how much the clocks of two machines may differ.
SKEW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class HistoryRebuild:
    """What is to be restored.

    `deployments` by the number they get, in the order they were made; `identities` of the
    environments to restore, by name.
    """

    trail: Trail
    deployments: dict[int, DeploymentRecord]
    identities: dict[str, Identity]

    @property
    def is_renumbered(self) -> bool:
        return any(number != one.number for number, one in self.deployments.items())

    @property
    def counts(self) -> dict[str, int]:
        """What is restored; `removed` are the releases whose objects are gone."""
        trail = self.trail
        return {
            "environments": len(self.identities),
            "releases": len(trail.releases),
            "removed": len(trail.releases) - len(trail.whole),
            "functions": len(trail.functions),
            "deployments": len(trail.deployments),
        }

    def as_json(self) -> dict[str, Any]:
        """Return what is restored for --json."""
        damaged = [{"key": key, "fault": fault} for key, fault in self.trail.damaged.items()]
        return {**self.counts, "renumbered": self.is_renumbered, "damaged": damaged}


def rebuild_history(
    objects: ObjectStore,
    *,
    say: Callable[[str], None],
    skip_damaged: bool = False,
    dry_run: bool = False,
) -> HistoryRebuild:
    """Restore the history from the audit objects. Raises Refused (nothing changed), EdgeError."""
    say("Read the audit objects")
    plan = plan_rebuild(objects)
    for key, fault in plan.trail.damaged.items():
        say(f"Cannot use {key}: {fault}")
    if plan.is_renumbered:
        say("Renumber the deployments: the store holds more than one history")
    if not dry_run:
        if not skip_damaged:
            _check_undamaged(plan.trail)
        _restore(plan)
    return plan


def plan_rebuild(objects: ObjectStore) -> HistoryRebuild:
    """Read what can be restored. Raises Refused: the database has a history, or the store none."""
    _check_empty()
    trail = read_trail(objects)
    if not trail:
        raise Refused(
            "nothing-to-restore",
            "The object store has no audit objects.",
            "Check that this is the right store: EDGE_BACKEND, EDGE_BUCKET or DATA_DIR.",
        )
    deployments = _numbered(trail)
    last = {one.environment: one.identity for one in deployments.values()}
    return HistoryRebuild(
        trail, deployments, {name: one for name, one in last.items() if _is_untouched(name)}
    )


def _numbered(trail: Trail) -> dict[int, DeploymentRecord]:
    """Return the deployments by number, in the order they were made.

    They keep their numbers, unless the store holds more than one history: then all of them are
    renumbered in the order of time.
    """
    own = sorted(trail.deployments, key=lambda one: one.number)
    if _is_one_history(own):
        return {one.number: one for one in own}
    return dict(enumerate(trail.deployments, start=1))


def _is_one_history(numbered: list[DeploymentRecord]) -> bool:
    """Whether numbers come from one database: each is there once, and time increases with them.

    Deployments have the time of the machine that made them, so it may go back a little.
    """
    latest = accumulate((one.at for one in numbered), max)
    is_in_order = all(then - one.at <= SKEW for one, then in zip(numbered, latest, strict=True))
    return is_in_order and len({one.number for one in numbered}) == len(numbered)


def _check_undamaged(trail: Trail) -> None:
    """Refuse to restore a part of the history. Raises Refused (`audit-damaged`)."""
    if trail.damaged:
        key, fault = next(iter(trail.damaged.items()))
        raise Refused(
            "audit-damaged",
            f"{plural(len(trail.damaged), 'audit object')} cannot be used, first {key}: {fault}.",
            "List them with --dry-run. Bring them back, or leave their contents out: "
            "manage.py rebuild_history --skip-damaged",
        )


@transaction.atomic
def _restore(plan: HistoryRebuild) -> None:
    """Write the rows. Raises Refused if a history was begun in the meantime."""
    _check_empty()
    for name, identity in plan.identities.items():
        _restore_environment(name, identity)
    _restore_releases(plan.trail)
    _restore_functions(plan)
    _restore_deployments(plan)
    for environment in Environment.objects.all():
        _freeze_again(environment)


def _check_empty() -> None:
    releases, deployments = Release.objects.count(), Deployment.objects.count()
    if releases or deployments:
        raise Refused(
            "history-not-empty",
            f"The database has {plural(releases, 'release')} and "
            f"{plural(deployments, 'deployment')}; a history is only rebuilt into an empty one.",
            "Point DATABASE_URL to a new database and run there: manage.py migrate, then "
            "manage.py rebuild_history",
        )


def _is_untouched(name: str) -> bool:
    """Whether an environment is missing, or still as the first migration made it."""
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
            **identity.serving,
        },
    )
    for one in identity.distributions:
        Distribution.objects.get_or_create(
            remote_id=one["remote_id"], defaults={"environment": environment, **one}
        )


def _restore_releases(trail: Trail) -> None:
    """Restore the releases in the order they were made, which is that of their rows."""
    records = sorted(trail.releases.values(), key=lambda one: (one.created_at, one.name))
    Release.objects.bulk_create(_release(one, one.name in trail.whole) for one in records)


def _release(record: ReleaseRecord, is_whole: bool) -> Release:
    """Make the row of a release; one whose manifest is gone is left to the next prune."""
    now = database_now()
    state = {
        "completed_at": record.created_at if is_whole or record.removed_at else None,
        "marked_at": None if is_whole else now,
        "removed_at": None if is_whole else record.removed_at or now,
    }
    return Release(**asdict(record) | state)


def _restore_functions(plan: HistoryRebuild) -> None:
    """Restore function versions, with who first deployed them and when."""
    first: dict[str, DeploymentRecord] = {}
    for one in plan.deployments.values():
        first.setdefault(one.function, one)
    FunctionVersion.objects.bulk_create(
        FunctionVersion(
            digest=digest,
            source=plan.trail.functions[digest],
            created_at=one.at,
            created_by=one.actor,
        )
        for digest, one in first.items()
    )


def _restore_deployments(plan: HistoryRebuild) -> None:
    environments = {one.name: one for one in Environment.objects.all()}
    releases = {one.name: one for one in Release.objects.all()}
    functions = {one.digest: one for one in FunctionVersion.objects.all()}
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
        for number, one in plan.deployments.items()
    ]
    Deployment.objects.bulk_create(rows)
    Outcome.objects.bulk_create(
        Outcome(deployment=row, result=one.result, detail=one.detail, at=one.ended_at)
        for row, one in zip(rows, plan.deployments.values(), strict=True)
    )
    # The next deployment's number follows the restored ones.
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [Deployment]):
            cursor.execute(statement)


def _freeze_again(environment: Environment) -> None:
    """Put the guard on the release that a rollback left, if nothing was deployed after it."""
    live = environment.live
    if live and live.kind == Deployment.Kind.ROLLBACK:
        freezes.update_after(live)
        Freeze.objects.filter(environment=environment).update(at=live.at)
