"""What an environment's CloudFormation stack shall be, decided before anything is proposed.

Nothing here writes. What is wrong is refused before CloudFormation is asked, because it would only
tell minutes later.
"""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deployments.errors import ChangedMeanwhile, Refused
from deployments.models import Environment
from deployments.routing.functions import check_limits
from deployments.stacks.parts import owns_shared, shared_parts, stack_name
from edge.provisioning.shared_template import SHARED
from edge.provisioning.stacks import Change, StackHost, StackState
from edge.provisioning.template import FUNCTION, write_template

HOST_NAME = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$")
CERTIFICATE = re.compile(r"arn:aws[a-z-]*:acm:us-east-1:\d{12}:certificate/[\w-]+$")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the operator asks for. None keeps what there is; empty takes it away.

    `strategy` is the environment's, and no concern of the stack.
    """

    aliases: tuple[str, ...] | None = None
    certificate: str | None = None
    application: str | None = None
    price_class: str | None = None
    hsts_subdomains: bool | None = None
    strategy: str | None = None

    def parameters(self) -> dict[str, str]:
        """Give the template's parameters that were asked for."""
        asked = {
            "Aliases": None if self.aliases is None else ",".join(self.aliases),
            "CertificateArn": self.certificate,
            "ApplicationDomain": self.application,
            "PriceClass": self.price_class,
            "HstsSubdomains": None
            if self.hsts_subdomains is None
            else str(self.hsts_subdomains).lower(),
        }
        return {name: text for name, text in asked.items() if text is not None}

    def flags(self) -> list[str]:
        """Give the options of `provision` that ask for the same."""
        flags = (
            [f"--alias={host}" for host in self.aliases or [""]] if self.aliases is not None else []
        )
        if self.certificate is not None:
            flags.append(f"--certificate={self.certificate}")
        if self.application is not None:
            flags.append(f"--application={self.application}")
        if self.price_class is not None:
            flags.append(f"--price-class={self.price_class}")
        if self.hsts_subdomains is not None:
            flags.append(f"--{'' if self.hsts_subdomains else 'no-'}hsts-subdomains")
        if self.strategy is not None:
            flags.append(f"--strategy={self.strategy}")
        return flags


@dataclass(frozen=True, slots=True)
class StackPlan:
    """What an environment's stack shall be. None among the parameters keeps what it has."""

    environment: Environment
    wanted: Wanted
    stack: str
    state: StackState | None
    template: dict[str, Any]
    parameters: dict[str, str | None] = field(default_factory=dict)

    @property
    def is_new(self) -> bool:
        """Whether there is no stack yet, or only the shell of one."""
        return self.state is None or self.state.is_empty

    def first_changes(self) -> tuple[Change, ...]:
        """Tell what a new stack will hold, without asking CloudFormation."""
        has_application = bool(self.parameters.get("ApplicationDomain"))
        return tuple(
            Change("Add", name, resource["Type"])
            for name, resource in self.template["Resources"].items()
            if has_application or "Condition" not in resource
        )


def plan_stack(
    stacks: StackHost, environment: Environment, wanted: Wanted, *, bucket: str, store: str
) -> StackPlan:
    """Decide what the stack shall be. `bucket` (may be empty) and `store` name parts to be made.

    Raises Refused, ChangedMeanwhile when CloudFormation is at work on it.
    """
    _check(environment, wanted)
    name = stack_name(environment)
    state = stacks.state(name)
    if state is None or state.is_empty:
        plan = _plan_new(stacks, environment, wanted, state, {"bucket": bucket, "store": store})
    else:
        plan = _plan_update(stacks, environment, wanted, state)
    kept = state.parameters if state else {}
    final = {
        key: kept.get(key, "") if text is None else text for key, text in plan.parameters.items()
    }
    if final.get("Aliases") and not final.get("CertificateArn"):
        raise Refused(
            "certificate-missing",
            f"CloudFront takes {final['Aliases']} only with a certificate that covers it.",
            "Add --certificate with the ARN of an ACM certificate in us-east-1.",
        )
    return plan


def _plan_new(
    stacks: StackHost,
    environment: Environment,
    wanted: Wanted,
    state: StackState | None,
    names: Mapping[str, str],
) -> StackPlan:
    shared = shared_parts(stacks, environment)
    template = write_template(environment.name, owns_shared=not shared)
    check_limits(template["Resources"][FUNCTION]["Properties"]["FunctionCode"])
    own = {"BucketName": names["bucket"], "KeyValueStoreName": names["store"]}
    parameters = {**wanted.parameters(), **(shared or own)}
    return StackPlan(environment, wanted, stack_name(environment), state, template, {**parameters})


def _plan_update(
    stacks: StackHost, environment: Environment, wanted: Wanted, state: StackState
) -> StackPlan:
    _check_usable(state, then=again(environment, wanted))
    template = write_template(
        environment.name,
        owns_shared=owns_shared(state),
        function=stacks.template(state.name)["Resources"][FUNCTION],
    )
    kept = {key: None for key in template["Parameters"] if key in state.parameters}
    new = [name for name in SHARED if name in template["Parameters"] and name not in kept]
    shared = shared_parts(stacks, environment) if new else {}
    taken = {name: shared[name] for name in new if shared}
    return StackPlan(
        environment, wanted, state.name, state, template, {**kept, **taken, **wanted.parameters()}
    )


def _check(environment: Environment, wanted: Wanted) -> None:
    """Refuse what CloudFront would, before it is asked."""
    for host in wanted.aliases or ():
        if not HOST_NAME.match(host):
            raise Refused(
                "alias-invalid",
                f"'{host}' is not a host name: lower case, with a dot, without scheme or port.",
                "A wildcard has no routing document; name each host.",
            )
        _check_free(environment, host)
    if wanted.certificate and not CERTIFICATE.match(wanted.certificate):
        raise Refused(
            "certificate-invalid",
            f"'{wanted.certificate}' is not the ARN of an ACM certificate in us-east-1.",
            "CloudFront takes certificates from us-east-1 only: request or import it there.",
        )
    if wanted.application and not HOST_NAME.match(wanted.application):
        raise Refused(
            "application-invalid",
            f"'{wanted.application}' is not a host name.",
            "Name the host where Django answers over https, without scheme or port.",
        )


def _check_free(environment: Environment, host: str) -> None:
    for other in Environment.objects.exclude(pk=environment.pk):
        if host in other.hosts:
            raise Refused(
                "alias-taken", f"'{host}' is a host of {other}.", "One host serves one environment."
            )


def _check_usable(state: StackState, *, then: str) -> None:
    """Refuse to go on from a stack that is at work or broken."""
    if state.is_busy:
        raise ChangedMeanwhile(
            "stack-busy",
            f"CloudFormation is at work on {state.name}: {state.status}.",
            "Run the command again when it is done.",
        )
    if not state.succeeded and not state.is_restored:
        raise Refused(
            "stack-broken",
            f"The stack {state.name} is {state.status}: {state.reason}",
            repair(state, then=then),
        )


def repair(state: StackState, *, then: str) -> str:
    """Name the command that brings a broken stack back, and the one after it."""
    act = "continue-update-rollback" if state.status.startswith("UPDATE") else "delete-stack"
    return f"Run: aws cloudformation {act} --stack-name {state.name}; then: {then}"


def again(environment: Environment, wanted: Wanted) -> str:
    """Name the command that asks for the same."""
    flags = shlex.join(wanted.flags())
    return f"manage.py provision --environment {environment} {flags} --yes".replace("  ", " ")
