"""The parts all environments share: whose stack made them, and what the others take from it."""

from collections.abc import Mapping

from deployments.errors import ChangedMeanwhile, Refused
from deployments.models import Environment
from edge.provisioning.shared_template import SHARED
from edge.provisioning.stacks import StackHost, StackState


def stack_name(environment: Environment) -> str:
    """Name the stack of an environment."""
    return f"qdn-{environment.name}"


def shared_parts(stacks: StackHost, environment: Environment) -> dict[str, str]:
    """Find the parts that environments share; empty where nobody has made them yet.

    A stack tells itself. Where it is gone its parts were retained, and the database names them.
    Raises ChangedMeanwhile, Refused when all that is known comes from older templates.
    """
    told = [*_told_by_stacks(stacks, environment), *_told_by_database()]
    for _, outputs in told:
        if outputs.keys() >= set(SHARED):
            return {name: outputs[name] for name in SHARED}
    if not told:
        return {}
    owner, outputs = told[0]
    raise Refused(
        "shared-missing",
        f"The stack of {owner} is older than this template: it does not tell "
        f"{', '.join(name for name in SHARED if name not in outputs)}.",
        f"Bring it up to date first: manage.py provision --environment {owner}",
    )


def _told_by_stacks(
    stacks: StackHost, environment: Environment
) -> list[tuple[Environment, Mapping[str, str]]]:
    """Read the outputs of the other stacks, the one that owns the parts first."""
    found = []
    for other in Environment.objects.exclude(pk=environment.pk):
        state = stacks.state(stack_name(other))
        if state is not None and state.is_busy:
            raise ChangedMeanwhile(
                "stack-busy",
                f"CloudFormation is at work on {state.name}, which may hold what they share.",
                "Run the command again when it is done.",
            )
        if state is not None and state.outputs.get("Bucket"):
            found.append((other, state))
    found.sort(key=lambda item: not owns_shared(item[1]))
    return [(other, state.outputs) for other, state in found]


def _told_by_database() -> list[tuple[Environment, Mapping[str, str]]]:
    return [(known, known.stack["outputs"]) for known in Environment.objects.exclude(stack={})]


def owns_shared(state: StackState) -> bool:
    """Tell whether a stack made the shared parts: to the others they are parameters."""
    return "Bucket" not in state.parameters
