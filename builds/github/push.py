"""What a push on GitHub starts: a build of the branch, or the end of its preview."""

from builds import mirrors, queue
from builds.delivery import forget_branch
from builds.github.webhook import Push
from builds.models import Build
from builds.run import ask
from deployments.context import Caller


def receive_push(push: Push) -> Build | None:
    """Fetch the repository and have the branch's last commit built; return the build.

    The commit is the branch's last one now, because webhooks may arrive in another order than they
    were sent. A branch that is gone loses its preview. Raises Refused, PartlyChanged, EdgeError.
    """
    repository = mirrors.fetch(push.repository)
    commit = repository.tip(push.branch)
    if not commit:
        forget_branch(push.branch, Caller(actor=push.actor, say=lambda line: None))
        return None
    waiting = Build.objects.unfinished().filter(repository=str(repository.path), branch=push.branch)
    last = waiting.order_by("-pk").first()
    if last and last.commit == commit:
        return last
    build = ask(
        repository=repository.path,
        branch=push.branch,
        commit=commit,
        actor=push.actor,
        is_queued=True,
    )
    queue.enqueue(build)
    return build
