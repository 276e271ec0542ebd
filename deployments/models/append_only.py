"""Rows that are written once: the history is corrected by new rows, never by edits."""

from typing import Any, NoReturn

from django.db import models

from edge.database_clock import database_now


class AppendOnlyError(TypeError):
    """A row of the history was to be changed or deleted."""


class AppendOnlyQuerySet(models.QuerySet[Any]):
    """A queryset that refuses to update or delete rows."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError(f"{self.model.__name__} rows are never changed. Write a new row.")

    def delete(self) -> NoReturn:
        raise AppendOnlyError(f"{self.model.__name__} rows are never deleted.")


class AppendOnly(models.Model):
    """A row of the history with the time it was written, which a restored row keeps."""

    at = models.DateTimeField(default=database_now, editable=False)

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError(f"{type(self).__name__} rows are never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError(f"{type(self).__name__} rows are never deleted.")
