"""The columns of a list of the admin as plain values: what the list shows, without its markup."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from html import unescape
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import label_for_field, lookup_field
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Field
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.safestring import SafeString

# What is never exported, even if a list shows it: secrets, and what was written about a customer.
NEVER = frozenset(
    {
        *("access_notes", "details", "token", "token_sha256", "sha256", "secret", "password"),
        *("notes", "form_key", "key"),
    }
)
ROWS_AT_ONCE = 500
Cell = str | int | float | Decimal | date | datetime | None
_LINE_END = re.compile(r"<br\s*/?>", re.IGNORECASE)


@dataclass(frozen=True)
class Table:
    """A filtered list: its headings, and its rows when they are asked for."""

    change_list: ChangeList

    @property
    def names(self) -> list[str]:
        """The columns that are exported, as the list's options name them."""
        skipped = {"action_checkbox", ACTION_CHECKBOX_NAME, *NEVER}
        shown: list[str] = [str(name) for name in self.change_list.list_display]
        left_out = getattr(self.change_list.model_admin, "not_exported", ())
        return [name for name in shown if name not in skipped | set(left_out)]

    @property
    def headings(self) -> list[str]:
        model, admin = self.change_list.model, self.change_list.model_admin
        labels = (str(label_for_field(name, model, admin)) for name in self.names)
        return [label[:1].upper() + label[1:] for label in labels]

    def rows(self) -> Iterator[list[Cell]]:
        """Read the rows that the list's filters leave, in its order, some at a time."""
        names = self.names
        for row in self.change_list.queryset.iterator(chunk_size=ROWS_AT_ONCE):
            yield [self._cell(name, row) for name in names]

    def _cell(self, name: str, row: Any) -> Cell:
        try:
            field, _, value = lookup_field(name, row, self.change_list.model_admin)
        except ObjectDoesNotExist:
            return None
        if isinstance(field, Field) and field.choices:
            return str(getattr(row, f"get_{field.name}_display")())
        return plain(value)


def plain(value: Any) -> Cell:
    """Return a value as a cell: numbers and days as they are, all else as the text that is shown.

    Times are those of the office's time zone. The parts of a heading or a label become one text.
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return timezone.localtime(value).replace(tzinfo=None, microsecond=0)
    if isinstance(value, int | float | Decimal | date) and not hasattr(value, "label"):
        return value
    if isinstance(value, list | tuple):
        return _joined(value)
    return _text(value)


def _joined(parts: list[Any] | tuple[Any, ...]) -> Cell:
    """Join what the theme shows as two lines; a label comes as its key and its text."""
    if isinstance(parts, tuple):
        parts = parts[-1:]
    return ", ".join(text for part in parts if (text := _text(part))) or None


def _text(value: Any) -> str:
    text = str(value)
    if isinstance(value, SafeString):
        text = unescape(strip_tags(_LINE_END.sub(", ", text)))
    return text.strip()
