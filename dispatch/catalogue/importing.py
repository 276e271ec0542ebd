"""Read the service area from a CSV file with the columns zip, town and surcharge.

    zip,town,surcharge
    99709,Fairbanks,
    99714,Salcha,45

The surcharge is in dollars. A file with a fault changes nothing.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction

from dispatch.addresses import parse_zip
from dispatch.catalogue.area import ZIP_DIGITS
from dispatch.errors import DispatchError, ValueRefused
from dispatch.models import ServedZip
from dispatch.prices import parse_dollars

COLUMNS = ("zip", "town", "surcharge")
HEADER = ",".join(COLUMNS)
MOST_TOWN = 80
# More are counted: a file of another kind has a fault in every line.
MOST_FAULTS = 5


class AreaFileRefused(DispatchError):
    """The file cannot be read as a service area; nothing was changed."""

    code = "area-file-refused"


@dataclass(frozen=True, slots=True)
class Imported:
    """How many ZIP codes an import added, changed, removed and left as they are."""

    added: int
    changed: int
    removed: int
    unchanged: int


@transaction.atomic
def import_area(content: bytes, *, replace: bool = False, dry_run: bool = False) -> Imported:
    """Add and update the ZIP codes of a CSV file; with `replace`, remove all others.

    Raises AreaFileRefused, having changed nothing.
    """
    rows = read_area(content)
    before = {row.zip_code: (row.town, row.surcharge_cents) for row in ServedZip.objects.all()}
    after = {row.zip_code: (row.town, row.surcharge_cents) for row in rows}
    if not dry_run:
        _write(rows, replace=replace)
    kept = before.keys() & after.keys()
    same = sum(before[one] == after[one] for one in kept)
    return Imported(
        added=len(after) - len(kept),
        changed=len(kept) - same,
        removed=len(before) - len(kept) if replace else 0,
        unchanged=same if replace else same + len(before) - len(kept),
    )


def read_area(content: bytes) -> list[ServedZip]:
    """Return the unsaved rows of a file. Raises AreaFileRefused with the lines at fault."""
    try:
        text = content.decode("utf-8-sig")  # Excel writes a byte order mark
    except UnicodeDecodeError as error:
        raise AreaFileRefused("Expected a CSV file in UTF-8.", "Save it as CSV UTF-8.") from error
    rows: dict[str, ServedZip] = {}
    faults = []
    for line, cells in _lines(text):
        try:
            row = _row(cells)
            if row.zip_code in rows:
                raise ValueRefused(f"The ZIP code {row.zip_code} is listed twice.")
            rows[row.zip_code] = row
        except ValueRefused as refusal:
            faults.append(f"Line {line}: {refusal}")
    if faults:
        raise AreaFileRefused(_first(faults), "Nothing was imported: correct the file.")
    if not rows:
        raise AreaFileRefused("The file lists no ZIP codes.", "Add a line for each.")
    return list(rows.values())


def _lines(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Iterate over the lines below the header, as line number and cells by column."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        if sorted(header) != sorted(COLUMNS):
            raise AreaFileRefused(
                f"Line 1: expected the columns {HEADER}, found '{','.join(header)[:100]}'.",
                f"Begin the file with the line {HEADER}.",
            )
        for cells in reader:
            if any(cell.strip() for cell in cells):
                found = [cell.strip() for cell in cells] if len(cells) == len(header) else []
                yield reader.line_num, dict(zip(header, found, strict=False))
    except csv.Error as error:
        raise AreaFileRefused(
            f"Line {reader.line_num}: expected CSV, found another format ({error}).",
            "Save the file as CSV UTF-8, with commas.",
        ) from error


def _row(cells: dict[str, str]) -> ServedZip:
    """Return the unsaved row of a line. Raises ValueRefused."""
    if not cells:
        raise ValueRefused(f"Expected {len(COLUMNS)} cells.", f"The columns are {HEADER}.")
    zip_code = parse_zip(cells["zip"])
    if len(zip_code) != ZIP_DIGITS:
        raise ValueRefused(f"Expected five digits, found '{zip_code}'.", "Leave out the rest.")
    if len(cells["town"]) > MOST_TOWN or not cells["town"].isprintable():
        raise ValueRefused(f"Expected a town of at most {MOST_TOWN} characters on one line.")
    surcharge = parse_dollars(cells["surcharge"] or "0")
    return ServedZip(zip_code=zip_code, town=cells["town"], surcharge_cents=surcharge)


def _first(faults: list[str]) -> str:
    rest = len(faults) - MOST_FAULTS
    shown = " ".join(faults[:MOST_FAULTS])
    return f"{shown} More lines at fault: {rest}." if rest > 0 else shown


def _write(rows: list[ServedZip], *, replace: bool) -> None:
    if replace:
        ServedZip.objects.all().delete()
    ServedZip.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["zip_code"],
        update_fields=["town", "surcharge_cents"],
    )
