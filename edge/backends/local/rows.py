"""The key-value store, the function host and the distribution as rows of the database."""

import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import F

from edge.backends.rules import checked_paths, reference_taken
from edge.errors import StaleEtag
from edge.functions.shipped import digest_of
from edge.limits import CLOUDFRONT
from edge.models import EdgeState, FunctionStage, Invalidation, KeyValue
from edge.protocols import DEPLOYED, FunctionTest, PublishedFunction
from edge.runtime.trials import check_source, run_locally

EMPTY_ETAG = "empty"  # of a store that was never written
_DEVELOPMENT, _LIVE = FunctionStage.Stage.DEVELOPMENT, FunctionStage.Stage.LIVE


class RowKeyValueStore:
    """A KeyValueStore in the database."""

    def etag(self) -> str:
        return EdgeState.objects.values_list("etag", flat=True).first() or EMPTY_ETAG

    def get(self, key: str) -> str | None:
        return KeyValue.objects.filter(key=key).values_list("value", flat=True).first()

    def items(self) -> dict[str, str]:
        return dict(KeyValue.objects.order_by("key").values_list("key", "value"))

    def update(self, *, puts: Mapping[str, str], deletes: Iterable[str] = (), if_match: str) -> str:
        gone = list(deletes)
        CLOUDFRONT.check_update(puts=puts, deletes=gone)
        new = secrets.token_hex(16)
        with transaction.atomic():
            # The conditional update comes first: it is the lock, and it picks one winner.
            if not _state().filter(etag=if_match).update(etag=new):
                raise StaleEtag(
                    "The key-value store changed since it was read.",
                    "Run it again.",
                )
            KeyValue.objects.filter(key__in=gone).delete()
            KeyValue.objects.bulk_create(
                [KeyValue(key=key, value=value) for key, value in puts.items()],
                update_conflicts=True,
                unique_fields=["key"],
                update_fields=["value"],
            )
        return new


class RowFunctionHost:
    """A FunctionHost in the database; functions are tested in QuickJS."""

    def live(self, name: str) -> PublishedFunction | None:
        row = FunctionStage.objects.filter(name=name, stage=_LIVE).first()
        return PublishedFunction(row.name, row.source, row.digest) if row else None

    def stage(self, name: str, source: str) -> str:
        check_source(source)
        etag = secrets.token_hex(16)
        FunctionStage.objects.update_or_create(
            name=name,
            stage=_DEVELOPMENT,
            defaults={"source": source, "digest": digest_of(source), "etag": etag},
        )
        return etag

    def test(self, name: str, event: Mapping[str, Any], *, if_match: str) -> FunctionTest:
        row = self._staged(name, if_match)
        return run_locally(row.source, event, RowKeyValueStore().items())

    def publish(self, name: str, *, if_match: str) -> None:
        with transaction.atomic():
            _state().update(published=F("published") + 1)  # first: it is the lock
            row = self._staged(name, if_match)
            FunctionStage.objects.update_or_create(
                name=name,
                stage=_LIVE,
                defaults={
                    "source": row.source,
                    "digest": row.digest,
                    "etag": secrets.token_hex(16),
                },
            )

    def _staged(self, name: str, etag: str) -> FunctionStage:
        row = FunctionStage.objects.filter(name=name, stage=_DEVELOPMENT, etag=etag).first()
        if row is None:
            raise StaleEtag(
                f"The function {name} is not staged, or was staged again by someone else.",
                "Stage it again.",
            )
        return row


class RowDistribution:
    """A Distribution: rows that every local edge reads and applies to its own cache.

    It has one cache for all ids.
    """

    def invalidate(self, distribution: str, paths: Iterable[str], *, reference: str) -> int:
        wanted = checked_paths(paths, CLOUDFRONT)
        if not wanted:
            return 0
        reference = f"{distribution}:{reference}"
        with transaction.atomic():
            _state().update(invalidated=F("invalidated") + 1)  # first: it is the lock
            earlier = Invalidation.objects.filter(reference=reference).first()
            if earlier is None:
                number = EdgeState.objects.values_list("invalidated", flat=True).get()
                Invalidation.objects.create(number=number, reference=reference, paths=wanted)
            elif earlier.paths != wanted:
                raise reference_taken(reference)
        return len(wanted)

    def in_progress(self, distribution: str) -> list[str]:
        """Return nothing: every local edge checks for invalidations before it answers."""
        return []

    def status(self, distribution: str) -> str:
        return DEPLOYED


def _state() -> Any:
    """Return the one row as a queryset, after creating it if it is missing."""
    EdgeState.objects.bulk_create([EdgeState(etag=EMPTY_ETAG)], ignore_conflicts=True)
    return EdgeState.objects.filter(pk=EdgeState.SINGLE)
