"""Background work of builds. Tasks get only ids, since arguments are stored by the queue."""

from contextlib import suppress

from builds import queue
from builds.models import Build
from builds.run import run
from deployments.errors import DeploymentError
from edge.errors import EdgeError


def run_build(number: int) -> None:
    """Carry out a build that was asked for without anyone waiting for it. Its row says how."""
    with suppress(DeploymentError, EdgeError):
        run(Build.objects.get(pk=number))


def resume() -> None:
    """Enqueue builds again whose task was lost, and settle those whose task was killed."""
    queue.resume()
