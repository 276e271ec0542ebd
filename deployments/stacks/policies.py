"""What of AWS the environments use, for the IAM policies."""

from deployments.models import Distribution, Environment
from edge.functions.shipped import function_name
from edge.provisioning.iam import Places

STORE_OUTPUT, BUCKET_OUTPUT = "KeyValueStore", "Bucket"
ACCOUNT_FIELD = 4  # of an ARN's parts: arn:partition:service:region:account:resource


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
