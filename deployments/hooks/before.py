"""The hooks before a deployment: each may refuse it."""

import time

from django.conf import settings

from deployments.context import DeployContext
from deployments.errors import Refused
from deployments.hooks.answers import Answer
from deployments.hooks.call import call
from deployments.hooks.payload import Change, payload_of
from deployments.models import Hook, HookRun


def check_before(context: DeployContext, change: Change, *, previous: str) -> None:
    """Call the hooks before a change, one after the other; they share one time limit.

    Raises Refused if one does not agree, ChangedMeanwhile if the lock was taken over.
    """
    hooks = change.environment.hooks.filter(moment=Hook.Moment.BEFORE, active=True)
    ends = time.monotonic() + settings.HOOK_SECONDS
    for hook in hooks:
        context.keep_lock()
        context.say(f"Ask {hook}")
        answer = _asked(context, hook, change, previous, ends - time.monotonic())
        if not answer.ok:
            raise Refused(
                "hook-refused",
                f"{hook} refused {change.release}: {answer.detail.rstrip('.')}. Nothing was "
                "changed.",
                f"Fix what it reports. To deploy without it: manage.py hooks remove {hook.pk}",
            )


def _asked(
    context: DeployContext, hook: Hook, change: Change, previous: str, seconds: float
) -> Answer:
    payload = payload_of(context.backend, change, previous=previous, moment=Hook.Moment.BEFORE)
    run = HookRun(hook=hook, payload=payload, status=HookRun.Status.FAILED)
    if seconds > 0:
        answer = call(hook, payload, delivery=run.delivery, seconds=seconds)
    else:
        answer = Answer(False, f"The hooks before it took all of {settings.HOOK_SECONDS:g} s")
    run.detail = answer.detail
    if answer.ok:
        run.status = HookRun.Status.SUCCEEDED
    run.save()
    return answer
