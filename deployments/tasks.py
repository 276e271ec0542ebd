"""Background work of deployments. Tasks get only ids, since arguments are stored by the queue."""

from deployments.api import refusals
from deployments.hooks import deliver
from deployments.operations import canary_watch, incoming, uploads
from deployments.operations import run as operations
from deployments.timings import counting
from edge.backends import get_backend


def run_operation(operation_id: int) -> None:
    """Run an operation that was confirmed in the admin, or requested by the API."""
    operations.run(operation_id)


def resume() -> None:
    """Enqueue operations again whose task was lost or killed, and calls of hooks that are due."""
    operations.resume()
    deliver.enqueue_due()


def call_hook(run_id: int) -> None:
    """Make one attempt to call a hook."""
    deliver.carry_out(run_id)


def forget() -> dict[str, int]:
    """Delete old rows of the logs, old timings, and archives that no push has taken."""
    return {
        "hook_runs": deliver.forget(),
        "refused_requests": refusals.forget(),
        "uploads": uploads.forget(get_backend().objects),
        "timings": counting.forget_old(),
    }


def receive_incoming() -> dict[str, int]:
    """Push the archives that have arrived in the bucket."""
    return incoming.receive()


def watch_canaries() -> dict[str, str]:
    """Ask to end each watched canary whose pages are worse for viewers than the live ones."""
    return canary_watch.watch()
