"""The rows that an import could not take, as CSV."""

import csv
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, fields
from pathlib import Path

from tracking.errors import RegistryUnreadable
from tracking.registry.importing import Refusal

# A spreadsheet would run a cell that begins with one of these as a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@contextmanager
def refusals_to(path: Path) -> Iterator[Callable[[Refusal], None]]:
    """Return what writes refusals to a file that only its owner can read.

    Without any, there is no file afterwards: one of an earlier run would mislead. Raises
    RegistryUnreadable.
    """
    try:
        # Line by line, so that a killed run leaves what it found.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="", buffering=1) as file:
            writer = csv.writer(file)
            writer.writerow([field.name for field in fields(Refusal)])
            found = []

            def write(refusal: Refusal) -> None:
                found.append(refusal)
                writer.writerow(_cell(value) for value in astuple(refusal))

            yield write
    except OSError as error:
        raise RegistryUnreadable(
            f"{path} cannot be written: {error.strerror}.", "Choose another path with --csv."
        ) from error
    if not found:
        path.unlink(missing_ok=True)


def _cell(value: object) -> str:
    text = str(value).encode("utf-8", "backslashreplace").decode()
    return f"'{text}" if text.startswith(FORMULA) else text
