"""Planning an environment's CloudFormation stack. Reads only.

Options that CloudFront would refuse are refused here, because CloudFormation would only report them
minutes later.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deployments.errors import ChangedMeanwhile, Refused
from deployments.models import Environment
from deployments.routing.functions import check_limits
from deployments.routing.preview_hosts import preview_wildcard
from deployments.stacks.parts import owns_shared, shared_parts, stack_name
from edge.provisioning.shared_template import SHARED
from edge.provisioning.stacks import Change, StackHost, StackState
from edge.provisioning.template import FUNCTION, write_template

HOST_NAME = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$")
CERTIFICATE = re.compile(r"arn:aws[a-z-]*:acm:us-east-1:\d{12}:certificate/[\w-]+$")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The options given. None keeps the present value; an empty one removes it.

    `strategy` belongs to the environment, not to the stack.
    """

    aliases: tuple[str, ...] | None = None
    certificate: str | None = None
    application: str | None = None
    price_class: str | None = None
    hsts_subdomains: bool | None = None
    strategy: str | None = None

    def parameters(self) -> dict[str, str]:
        """Return the template parameters that were given."""
        hsts = self.hsts_subdomains
        given = {
            "Aliases": None if self.aliases is None else ",".join(self.aliases),
            "CertificateArn": self.certificate,
            "ApplicationDomain": self.application,
            "PriceClass": self.price_class,
            "HstsSubdomains": None if hsts is None else str(hsts).lower(),
        }
        return {name: text for name, text in given.items() if text is not None}


@dataclass(frozen=True, slots=True)
class StackPlan:
    """The stack an environment should have. A parameter of None keeps its value."""

    environment: Environment
    stack: str
    state: StackState | None
    template: dict[str, Any]
    parameters: dict[str, str | None] = field(default_factory=dict)

    @property
    def is_new(self) -> bool:
        """Whether there is no stack yet, or only an empty one."""
        return self.state is None or self.state.is_empty

    @property
    def status(self) -> str:
        """CloudFormation's status of the stack, or `new`."""
        return "new" if self.is_new or self.state is None else self.state.status

    def first_changes(self) -> tuple[Change, ...]:
        """Return what a new stack will hold, without asking CloudFormation."""
        has_application = bool(self.parameters.get("ApplicationDomain"))
        return tuple(
            Change("Add", name, resource["Type"])
            for name, resource in self.template["Resources"].items()
            if has_application or "Condition" not in resource
        )


def plan_stack(
    stacks: StackHost, environment: Environment, wanted: Wanted, *, bucket: str, store: str
) -> StackPlan:
    """Plan the stack. `bucket` (may be empty) and `store` are names for parts to be made.

    Raises Refused; ChangedMeanwhile while CloudFormation is changing the stack.
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
            f"CloudFront accepts {final['Aliases']} only with a certificate that covers it.",
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
    template = write_template(
        environment.name, owns_shared=not shared, rules=environment.serving_rules
    )
    check_limits(template["Resources"][FUNCTION]["Properties"]["FunctionCode"])
    own = {"BucketName": names["bucket"], "KeyValueStoreName": names["store"]}
    parameters = {**wanted.parameters(), **(shared or own)}
    return StackPlan(environment, stack_name(environment), state, template, {**parameters})


def _plan_update(
    stacks: StackHost, environment: Environment, wanted: Wanted, state: StackState
) -> StackPlan:
    _check_usable(state)
    template = write_template(
        environment.name,
        owns_shared=owns_shared(state),
        function=stacks.template(state.name)["Resources"][FUNCTION],
        rules=environment.serving_rules,
    )
    kept = {key: None for key in template["Parameters"] if key in state.parameters}
    new = [name for name in SHARED if name in template["Parameters"] and name not in kept]
    shared = shared_parts(stacks, environment) if new else {}
    taken = {name: shared[name] for name in new if shared}
    return StackPlan(
        environment, state.name, state, template, {**kept, **taken, **wanted.parameters()}
    )


def _check(environment: Environment, wanted: Wanted) -> None:
    """Refuse options that CloudFront would refuse."""
    environment.check_free(wanted.aliases or ())
    for host in wanted.aliases or ():
        if not HOST_NAME.match(host) and host != preview_wildcard():
            raise Refused(
                "alias-invalid",
                f"'{host}' is not a host name: use lower case, with a dot, without scheme or port.",
                f"The only wildcard that leads to pages is {preview_wildcard()}, for the previews "
                "of branches; PREVIEW_DOMAIN sets it.",
            )
    if wanted.certificate and not CERTIFICATE.match(wanted.certificate):
        raise Refused(
            "certificate-invalid",
            f"'{wanted.certificate}' is not the ARN of an ACM certificate in us-east-1.",
            "CloudFront only accepts certificates from us-east-1: request or import it there.",
        )
    if wanted.application and not HOST_NAME.match(wanted.application):
        raise Refused(
            "application-invalid",
            f"'{wanted.application}' is not a host name.",
            "Give the host where Django answers over https, without scheme or port.",
        )


def _check_usable(state: StackState) -> None:
    """Refuse to update a stack that is changing or broken."""
    if state.is_busy:
        raise ChangedMeanwhile(
            "stack-busy",
            f"CloudFormation is changing {state.name}: {state.status}.",
            "Run the command again when that is done.",
        )
    if not state.succeeded and not state.is_restored:
        raise Refused(
            "stack-broken",
            f"The stack {state.name} is {state.status}: {state.reason}",
            repair(state),
        )


def repair(state: StackState) -> str:
    """Return the command that brings a broken stack back, as a hint."""
    act = "continue-update-rollback" if state.status.startswith("UPDATE") else "delete-stack"
    return f"Run: aws cloudformation {act} --stack-name {state.name}, then the same command again."
