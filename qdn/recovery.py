"""What concerns releases and jobs together: verifying, pruning and rebuilding both."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction

from deployments.recovery.rebuild import HistoryRebuild, rebuild_history
from deployments.retention.plan import PrunePlan
from deployments.retention.prune import Pruned, PruneRun, prune
from deployments.verification.inspection import DOCTOR, Drift
from deployments.verification.verify import verify_environments
from deployments.wording import plural
from dispatch.numbers import last_number, raise_last_number
from edge.errors import EdgeError
from edge.protocols import Backend, ObjectStore
from tracking.comparing import Faults, Orphans, compare_documents, find_orphans, remove_orphans
from tracking.numbers import continued, highest_known

REWRITE = "manage.py publish_tracking --all"
REMOVE = "manage.py prune --documents --yes"


def verify_everything(
    backend: Backend, name: str | None = None, *, say: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Verify one environment, or all of them and the tracking documents. Raises Refused.

    Documents that differ are a last row whose environment is None.
    """
    rows = verify_environments(backend, name, say=say)
    if name is None:
        say("Compare the tracking documents with the jobs")
        if drift := [asdict(one) for one in _document_drift(backend.objects)]:
            nothing = dict.fromkeys(("environment", "strategy", "release", "previous"))
            rows.append({**nothing, "drift": drift})
    return rows


def prune_everything(
    run: PruneRun,
    *,
    show: Callable[[PrunePlan], None],
    documents_only: bool = False,
    dry_run: bool = False,
) -> tuple[Pruned | None, Orphans]:
    """Prune releases, then tracking documents without a link; or only the latter.

    If most documents have no link, they are removed only with `documents_only`. Raises what
    deployments.retention.prune.prune does.
    """
    releases = None if documents_only else prune(run, show=show, dry_run=dry_run)
    objects = run.backend.objects
    return releases, remove_orphans(objects, even_most=documents_only, dry_run=dry_run)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What was restored, the number after which jobs continue, and the documents without links."""

    history: HistoryRebuild
    last_number: int
    orphans: Orphans

    def as_json(self) -> dict[str, Any]:
        """Return it for --json."""
        return {
            **self.history.as_json(),
            "last_number": self.last_number,
            "orphaned": len(self.orphans.keys),
        }


def rebuild_everything(
    objects: ObjectStore,
    *,
    say: Callable[[str], None],
    skip_damaged: bool = False,
    dry_run: bool = False,
) -> Rebuilt:
    """Rebuild the history, and number jobs above those whose documents are in the store.

    Removes no document: the database may have been pointed at the wrong store. Raises Refused
    (nothing changed), EdgeError.
    """
    number = continued(last_number(), known=highest_known(objects))
    orphans = find_orphans(objects)
    with transaction.atomic():
        history = rebuild_history(objects, say=say, skip_damaged=skip_damaged, dry_run=dry_run)
        if not dry_run:
            raise_last_number(number)
    return Rebuilt(history, number, orphans)


def _document_drift(objects: ObjectStore) -> Iterator[Drift]:
    try:
        found = compare_documents(objects)
    except EdgeError as error:
        yield Drift("no-answer", f"The back end does not answer: {error.message}", DOCTOR)
        return
    for code, faults, what in (
        ("documents-missing", found.missing, "missing"),
        ("documents-stale", found.stale, "different from the job"),
    ):
        if faults.count:
            yield Drift(code, f"{_documents(faults.count)} {what}: {_named(faults)}", REWRITE)
    if found.orphaned:
        yield Drift("documents-orphaned", f"{_documents(found.orphaned)} without a link", REMOVE)


def _documents(count: int) -> str:
    return plural(count, "tracking document")


def _named(faults: Faults) -> str:
    more = faults.count - len(faults.named)
    return ", ".join(faults.named) + (f" and {more:,} more" if more else "")
