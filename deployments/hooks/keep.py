"""Adding, trying and removing hooks."""

import logging
import secrets

from django.conf import settings

from deployments.errors import Refused
from deployments.hooks.address import check_address
from deployments.hooks.answers import Answer
from deployments.hooks.call import call
from deployments.hooks.command import check_command
from deployments.hooks.payload import trial_payload
from deployments.models import Environment, Hook, HookRun
from edge.protocols import Backend

log = logging.getLogger(__name__)
SECRET_BYTES, LONGEST_TARGET = 32, 1000


def check_target(kind: str, target: str) -> None:
    """Raise Refused if a target cannot be called."""
    if len(target) > LONGEST_TARGET:
        raise Refused(
            "hook-too-long",
            f"A hook's target has at most {LONGEST_TARGET:,} characters, not {len(target):,}.",
            "Shorten it, for example by a script on this machine.",
        )
    (check_command if kind == Hook.Kind.COMMAND else check_address)(target)


def add_hook(*, environment: Environment, moment: str, kind: str, target: str, actor: str) -> Hook:
    """Add a hook; its secret is made here. Raises Refused."""
    check_target(kind, target)
    hook = Hook.objects.create(
        environment=environment,
        moment=moment,
        kind=kind,
        target=target,
        secret="" if kind == Hook.Kind.COMMAND else new_secret(),
        created_by=actor,
    )
    log.info("%s added %s to %s", actor, hook, environment)
    return hook


def new_secret() -> str:
    """Return a secret for the signatures of an address."""
    return secrets.token_urlsafe(SECRET_BYTES)


def remove_hook(hook: Hook, *, actor: str) -> None:
    """Remove a hook with its log; attempts that wait are not made."""
    log.info("%s removed %s of %s", actor, hook, hook.environment)
    hook.delete()


def try_hook(backend: Backend, hook: Hook, *, actor: str) -> Answer:
    """Call a hook once, with the event `test`, and log the answer. Raises Refused."""
    payload = trial_payload(backend, hook.environment, actor=actor)
    run = HookRun(hook=hook, payload=payload)
    answer = call(hook, payload, delivery=run.delivery, seconds=settings.HOOK_SECONDS)
    run.status = HookRun.Status.SUCCEEDED if answer.ok else HookRun.Status.FAILED
    run.detail = answer.detail
    run.save()
    return answer
