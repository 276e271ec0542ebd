"""Tables as files for spreadsheets. No text becomes a formula, and no file is held in memory."""

import csv
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from tempfile import TemporaryFile
from typing import IO

from xlsxwriter import Workbook

from office.exports.columns import Cell

# A program that opens a CSV runs a cell that begins so as a formula (OWASP, "CSV injection").
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
# Excel reads a file without it in the encoding of the machine.
MARK = "\ufeff"
MOST_ROWS = 1_048_575  # of a sheet, below its headings
_DAY, _MINUTE = "yyyy-mm-dd", "yyyy-mm-dd hh:mm"
_WIDTH = 22
_PLAIN_TEXT = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


class _Line:
    """A file for csv.writer that hands each line on."""

    def write(self, text: str) -> str:
        return text


def csv_lines(headings: list[str], rows: Iterable[list[Cell]]) -> Iterator[str]:
    """Iterate over the lines of a CSV, in UTF-8 with a mark that spreadsheets recognize."""
    writer = csv.writer(_Line())
    yield MARK + writer.writerow([guarded(heading) for heading in headings])
    for row in rows:
        yield writer.writerow([csv_cell(cell) for cell in row])


def csv_cell(cell: Cell) -> str:
    """Return a cell as text. Numbers are written as they are: "-5" is a number."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="minutes")
    if isinstance(cell, int | float | Decimal | date):
        return str(cell)
    return guarded(cell)


def guarded(text: str) -> str:
    """Put an apostrophe before a text that would be run as a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text


def xlsx_file(headings: list[str], rows: Iterable[list[Cell]]) -> IO[bytes]:
    """Return a temporary file with a workbook of one sheet, at its start."""
    file = TemporaryFile()  # noqa: SIM115 - the response closes it
    book = Workbook(file, _PLAIN_TEXT)
    sheet = book.add_worksheet()
    bold = book.add_format({"bold": True})
    formats = {date: book.add_format({"num_format": _DAY})}
    formats[datetime] = book.add_format({"num_format": _MINUTE})
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, max(0, len(headings) - 1), _WIDTH)
    for column, heading in enumerate(headings):
        sheet.write_string(0, column, heading, bold)
    for line, row in enumerate(rows, start=1):
        for column, cell in enumerate(row):
            if isinstance(cell, date):
                sheet.write_datetime(line, column, cell, formats[type(cell)])
            elif isinstance(cell, int | float | Decimal):
                sheet.write_number(line, column, cell)
            elif cell is not None:
                sheet.write_string(line, column, cell)
    book.close()
    file.seek(0)
    return file
