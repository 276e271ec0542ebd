"""The parts all environments share: whose stack made them, and what the others take from it."""

from collections.abc import Mapping

from deployments.errors import ChangedMeanwhile, Refused
from deployments.models import Distribution, Environment
from edge.functions.shipped import function_name
from edge.provisioning.iam import Places
from edge.provisioning.shared_template import SHARED
from edge.provisioning.stacks import StackHost, StackState

STORE_OUTPUT, BUCKET_OUTPUT = "KeyValueStore", "Bucket"
ACCOUNT_FIELD = 4  # of an ARN's parts: arn:partition:service:region:account:resource


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


def places_of(bucket: str) -> Places:
    """Name the places the environments use, as exactly as their stacks and rows tell.

    `bucket` comes before what the stacks made. Without a stack the account and the key-value
    store's id are not known, and without distributions theirs: `*` stands for them.
    """
    environments = list(Environment.objects.all())
    outputs = [one.stack.get("outputs", {}) for one in environments]
    stores = sorted({found[STORE_OUTPUT] for found in outputs if found.get(STORE_OUTPUT)})
    buckets = [found[BUCKET_OUTPUT] for found in outputs if found.get(BUCKET_OUTPUT)]
    return Places(
        bucket=bucket or next(iter(buckets), ""),
        account=stores[0].split(":")[ACCOUNT_FIELD] if stores else "*",
        stores=[arn.rpartition("/")[2] for arn in stores] or ["*"],
        distributions=[row.remote_id for row in Distribution.objects.all()] or ["*"],
        functions=[function_name(one.name) for one in environments] or ["*"],
    )
