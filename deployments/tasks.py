"""Background work of deployments. Tasks get only ids, since arguments are stored by the queue."""

from deployments.operations import run as operations


def run_operation(operation_id: int) -> None:
    """Run an operation that was confirmed in the admin."""
    operations.run(operation_id)
