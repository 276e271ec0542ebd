"""Background work of deployments. Tasks get ids only: arguments stand in the queue's tables."""

from deployments.operations import run as operations


def run_operation(operation_id: int) -> None:
    """Do what somebody confirmed in the admin."""
    operations.run(operation_id)
