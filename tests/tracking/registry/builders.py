"""Registries of a former system, and their import."""

import json
from pathlib import Path
from typing import Any

from tracking.registry.importing import Imported, import_jobs
from tracking.registry.mapping import load_tables

ODD_TOKENS = [
    "a b", " a", "a, b", "a;b", "a%2Fb", "a%252Fb", "a+b", "a&b=c", "a?b#c", "ñé\u2028ü", "a'b\"c",
    "<a>", "..a", "a.json.b", "it is a sentence, with; everything (50%)", "日本語", "a=b",
]  # fmt: skip
CLOSED_TOKENS = ["a/b", "a\\b", "a\tb", ".", "..", "a.json"]


def former(**values: Any) -> dict[str, Any]:
    """Return a row of a former system; None leaves a field out."""
    row = {
        "name": "Mark Ames",
        "address": "1423 Soderblom Avenue, Fairbanks, AK 99709",
        "service": "junk",
        "price": "600 all-in",
        "status": "scheduled",
        "token": "former-token",
        **values,
    }
    return {name: value for name, value in row.items() if value is not None}


def write(folder: Path, rows: dict[str, Any] | str) -> Path:
    path = folder / "former.json"
    text = rows if isinstance(rows, str) else json.dumps(rows, indent=0)
    path.write_text(text, encoding="utf-8")
    return path


def take(folder: Path, rows: dict[str, Any] | str, **options: Any) -> Imported:
    """Import rows, a text of a file, or the file that is there."""
    values = {"tables": load_tables(), "actor": "pat", "report": lambda refusal: None, **options}
    return import_jobs(write(folder, rows), **values)


def counts(done: Imported) -> tuple[int, int, int, int]:
    """Return how many rows were created, changed, unchanged and refused."""
    return done.created, done.changed, done.unchanged, len(done.refused)
