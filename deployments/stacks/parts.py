"""The parts all environments share: which stack made them, and what the others take from it."""

from collections.abc import Mapping

from deployments.errors import ChangedMeanwhile, Refused
from deployments.models import Environment
from edge.provisioning.shared_template import SHARED
from edge.provisioning.stacks import StackHost, StackState


def stack_name(environment: Environment) -> str:
    """Return the name of an environment's stack."""
    return f"qdn-{environment.name}"


def shared_parts(stacks: StackHost, environment: Environment) -> dict[str, str]:
    """Return the parts that environments share, or nothing if they have not been made yet.

    They are outputs of the stack that made them. If it was deleted, its parts were retained, and
    the database still has the outputs. Raises ChangedMeanwhile; Refused if all known outputs are of
    older templates.
    """
    known = [*_from_stacks(stacks, environment), *_from_database()]
    for _, outputs in known:
        if outputs.keys() >= set(SHARED):
            return {name: outputs[name] for name in SHARED}
    if not known:
        return {}
    owner, outputs = known[0]
    raise Refused(
        "shared-missing",
        f"The stack of {owner} is older than this template; it lacks the outputs "
        f"{', '.join(name for name in SHARED if name not in outputs)}.",
        f"Update it first: manage.py provision --environment {owner}",
    )


def _from_stacks(
    stacks: StackHost, environment: Environment
) -> list[tuple[Environment, Mapping[str, str]]]:
    """Return the outputs of the other stacks, first those of the one that owns the parts."""
    found = []
    for other in Environment.objects.exclude(pk=environment.pk):
        state = stacks.state(stack_name(other))
        if state is not None and state.is_busy:
            raise ChangedMeanwhile(
                "stack-busy",
                f"CloudFormation is changing {state.name}, which may have the shared parts.",
                "Run the command again when that is done.",
            )
        if state is not None and state.outputs.get("Bucket"):
            found.append((other, state))
    found.sort(key=lambda item: not owns_shared(item[1]))
    return [(other, state.outputs) for other, state in found]


def _from_database() -> list[tuple[Environment, Mapping[str, str]]]:
    return [(known, known.stack["outputs"]) for known in Environment.objects.exclude(stack={})]


def owns_shared(state: StackState) -> bool:
    """Whether a stack made the shared parts; in the others they are parameters."""
    return "Bucket" not in state.parameters
