"""Field history: who changed which field of a customer, a crew, a service, a price or a text.

Jobs have events instead (dispatch.changing). A row has a record for each save that changed it, and
one before its first change: rows that came in bulk, or before there was a history, begin there.
`QuerySet.update()` and `bulk_create()` write no record; tests/dispatch/test_field_history.py names
who may call them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from django.db import models
from simple_history.models import HistoricalRecords

# Who changes rows outside of a request of a user: tasks, unless something says otherwise.
NOT_A_USER = "system"
BEFORE = "As it was before the first change"
Row = TypeVar("Row", bound=models.Model)
_actor: ContextVar[str] = ContextVar("actor", default=NOT_A_USER)


@contextmanager
def acting_as(actor: str) -> Iterator[None]:
    """Name who changes rows here, where there is no request of a user: a command's operator."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def record(row: models.Model, *, actor: str, reason: str) -> None:
    """Add a record with a reason, whether or not a field changed."""
    manager = row.history  # type: ignore[attr-defined]  # of rows with a FieldHistory
    manager.bulk_history_create(
        [row], update=True, default_user=actor, default_change_reason=reason
    )


def keep_no_history(row: Row) -> Row:
    """Write no record of what happens to this row, such as a probe's. Returns it."""
    row.skip_history_when_saving = True  # type: ignore[attr-defined]  # the library looks for it
    return row


class FieldHistory(HistoricalRecords):  # type: ignore[misc]  # simple_history ships no types
    """The history of a model's rows. Actors are text, as in every history here."""

    def __init__(self, *, without: Sequence[str] = ()) -> None:
        super().__init__(
            excluded_fields=list(without),
            history_id_field=models.BigAutoField(),
            history_change_reason_field=models.CharField("reason", max_length=500, null=True),
            history_user_id_field=models.CharField("by", max_length=150, blank=True),
            history_user_getter=lambda version: version.history_user_id,
            history_user_setter=_set_user,
            get_user=_user,
        )

    def finalize(self, sender: type[models.Model], **kwargs: Any) -> None:
        """Also look at a row before it is saved for the first time."""
        super().finalize(sender, **kwargs)
        if self.cls is sender:
            models.signals.pre_save.connect(self.pre_save, sender=sender, weak=False)

    def get_meta_options(self, model: type[models.Model]) -> dict[str, Any]:
        """Add no permissions: who may see a row may see its history."""
        options: dict[str, Any] = super().get_meta_options(model)
        return {**options, "default_permissions": ()}

    def pre_save(self, instance: Any, raw: bool = False, **kwargs: Any) -> None:
        """Keep the values before the first change of a row that has no record yet."""
        if raw or instance.pk is None or self._is_skipped(instance):
            return
        stored = type(instance)._base_manager.filter(pk=instance.pk).first()
        if stored is None or instance.history.exists():
            return
        stored._history_user, stored._change_reason = "", BEFORE
        super().create_historical_record(stored, "+")

    def create_historical_record(
        self, instance: Any, history_type: str, using: str | None = None
    ) -> None:
        """Write a record if something changed."""
        if self._is_skipped(instance):
            return
        if history_type == "~" and self._is_unchanged(instance):
            return
        super().create_historical_record(instance, history_type, using=using)

    def _is_unchanged(self, instance: Any) -> bool:
        last = instance.history.first()
        names = [field.attname for field in self.fields_included(instance)]
        stored = type(instance)._base_manager.filter(pk=instance.pk).values(*names).first()
        return last is not None and stored == {name: getattr(last, name) for name in names}

    @staticmethod
    def _is_skipped(instance: Any) -> bool:
        return hasattr(instance, "skip_history_when_saving")


def _user(instance: models.Model, request: Any = None, **kwargs: Any) -> str:
    return request.user.get_username() if request is not None else _actor.get()


def _set_user(version: Any, user: Any) -> None:
    """Keep a user's name, or an actor that is a name already."""
    version.history_user_id = user if isinstance(user, str) else user.get_username()
