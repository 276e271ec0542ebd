"""Freezing: stopping deployments to an environment, with who, why and until when.

Rollbacks are never stopped: they are the way out of an incident. A rollback also puts a guard on
the release it left, a freeze of that release alone, so that the next promotion does not bring the
fault back. Freeze and guards are lifted separately.
"""

from datetime import datetime

from django.db import models, transaction

from deployments.context import Caller
from deployments.deploy.plan import Target
from deployments.errors import Refused
from deployments.models import Deployment, Environment, Freeze, Release
from deployments.wording import format_time
from edge.database_clock import database_now

Kind = Deployment.Kind
PROMOTIONS = {Kind.PROMOTE, Kind.CANARY}
ROLLED_BACK = "Rolled back from"


def request_freeze(
    environment: Environment,
    *,
    reason: str,
    until: datetime | None,
    caller: Caller,
    dry_run: bool = False,
) -> None:
    """Freeze an environment once the caller has agreed. Raises Refused."""
    check_freeze(reason=reason, until=until)
    if not dry_run:
        caller.ask(environment, f"Freeze {environment}?")
        freeze(environment=environment, reason=reason, actor=caller.actor, until=until)


def request_unfreeze(
    environment: Environment,
    *,
    release: Release | None = None,
    caller: Caller,
    dry_run: bool = False,
) -> list[Freeze]:
    """Lift the freeze, or the guard on `release`, once the caller has seen it and agreed.

    Return what was lifted. The caller is shown what stays in force, and how to lift that.
    """
    in_force = list(environment.freezes.in_force().select_related("release"))
    freezes = [one for one in in_force if one.release == release]
    for one in freezes:
        caller.say(f"Lift the {_describe(one)}")
    for one in in_force:
        if one not in freezes:
            caller.say(f"Keep the {_describe(one)}; to lift it: {lift_command(one)}")
    if freezes and not dry_run:
        caller.ask(environment, f"Lift this in {environment}?")
        return unfreeze(environment=environment, release=release, actor=caller.actor)
    return freezes


def lift_command(freeze: Freeze) -> str:
    """Return the command that lifts a freeze or guard, and nothing else."""
    which = f" --release {freeze.release}" if freeze.release else ""
    return f"manage.py unfreeze --environment {freeze.environment}{which}"


def _describe(freeze: Freeze) -> str:
    what = f"guard on {freeze.release}" if freeze.release else "freeze"
    return f"{what} ({freeze.actor}: {freeze.reason})"


def freeze(
    *, environment: Environment, reason: str, actor: str, until: datetime | None = None
) -> Freeze:
    """Stop deployments to an environment, replacing a freeze in force. Raises Refused."""
    check_freeze(reason=reason, until=until)
    with transaction.atomic():
        _lift(environment.freezes.in_force().by_hand(), actor)
        return Freeze.objects.create(
            environment=environment, reason=reason.strip(), actor=actor, until=until
        )


def check_freeze(*, reason: str, until: datetime | None) -> None:
    """Refuse a freeze without a reason, or with an end in the past. Raises Refused."""
    if not reason.strip():
        raise Refused("no-reason", "A freeze needs a reason.", "Give one: --reason '...'")
    if until and until <= database_now():
        raise Refused(
            "until-over", f"--until {format_time(until)} is in the past.", "Choose a later time."
        )


def unfreeze(
    *, environment: Environment, actor: str, release: Release | None = None
) -> list[Freeze]:
    """Lift and return the freeze of an environment, or with `release` only the guard on that."""
    with transaction.atomic():
        found = environment.freezes.in_force().filter(release=release)
        lifted = list(found.select_related("release"))
        _lift(found, actor)
    return lifted


def check_not_frozen(target: Target) -> None:
    """Refuse a deployment that a freeze stops. What is live may always be deployed again."""
    environment, live = target.environment, target.environment.live
    if target.kind == Kind.ROLLBACK:
        return
    is_live = live and (live.release, live.function) == (target.release, target.function)
    if is_live and target.kind != Kind.CANARY:
        return
    check_open(environment)
    if target.kind in PROMOTIONS:
        _check_release(environment, target.release)


def check_open(environment: Environment) -> None:
    """Refuse any deployment to an environment that is frozen. Raises Refused (`frozen`)."""
    frozen = environment.frozen
    if frozen:
        until = f" until {format_time(frozen.until)}" if frozen.until else ""
        raise Refused(
            "frozen",
            f"{environment} is frozen{until}: {frozen.reason} ({frozen.actor}, since "
            f"{format_time(frozen.at)}).",
            f"Wait, or lift the freeze: {lift_command(frozen)}. Rollbacks are still allowed.",
        )


def update_after(deployment: Deployment) -> None:
    """Write and lift the guards that follow from a successful deployment.

    Called before its outcome is written, in the same transaction.
    """
    environment = deployment.environment
    if deployment.percent is None:
        guards = environment.freezes.in_force().guards()
        older = guards.filter(release__pk__lt=deployment.release_id)
        _lift(older, f"deployment {deployment.pk}")
    because = f": {deployment.reason}" if deployment.reason else ""
    for left in _left_by(deployment):
        if environment.freezes.in_force().filter(release=left).exists():
            continue
        Freeze.objects.create(
            environment=environment,
            release=left,
            reason=f"{ROLLED_BACK}{because}"[:300],
            actor=deployment.actor,
        )


def _left_by(deployment: Deployment) -> set[Release]:
    """Return the releases that a rollback left: the live one, and that of a canary."""
    if deployment.kind != Kind.ROLLBACK:
        return set()
    canary = deployment.environment.canary
    left = {deployment.replaced, canary.release if canary else None}
    return {release for release in left if release and release != deployment.release}


def _check_release(environment: Environment, release: Release) -> None:
    frozen = environment.freezes.in_force().filter(release=release).first()
    if frozen:
        raise Refused(
            "release-frozen",
            f"{environment} was rolled back from {release} by {frozen.actor} at "
            f"{format_time(frozen.at)}{frozen.reason.removeprefix(ROLLED_BACK)}.",
            f"Push a newer release that fixes it, or lift the guard: {lift_command(frozen)}",
        )


def _lift(freezes: models.QuerySet[Freeze], actor: str) -> None:
    freezes.update(lifted_at=database_now(), lifted_by=actor[:150])
