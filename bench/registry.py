"""Takes over a registry with broken rows, and shows time, memory and that repeats change nothing.

Run it as `.venv/bin/python bench/registry.py` (`--rows`, `--kills`), with SQLite. One row in a
hundred is broken, each in another way. The import runs once as a whole, once more, and into a fresh
database with kills at random moments before the last run. Exits with 1 if a good row is missing, a
broken one was taken, a second run changed anything, or the killed runs led to other rows.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MANAGE = [sys.executable, str(ROOT / "manage.py")]
BROKEN_EVERY = 100
STATUSES = ["requested", "Scheduled", "ready for pickup", "on the way", "done", "canceled"]
PRICES = ["600 all-in", "400-600", "$1,250.50 estimate", "", "250"]
ODD = ["", " x", ",y", ";z", "%2F", "\u00f1"]
FAULTS: list[dict[str, Any]] = [
    {"name": "x" * 200}, {"name": ""}, {"address": ""}, {"address": "x" * 200}, {"price": "lots"},
    {"price": 600}, {"status": "lost"}, {"service": "sofa"}, {"token": ""}, {"token": "x" * 200},
    {"token": "a\u0000b"}, {"phone": "555"}, {"email": "nowhere"}, {"name": ["Ann"]},
    {"token": "token-1"},
]  # fmt: skip


def entries(rows: int) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Iterate over ids, rows, and whether each is good."""
    for number in range(1, rows + 1):
        row = {
            "name": f"Ann Birch {number}",
            "address": f"{number} Chena Ridge Road, Fairbanks, AK 99709",
            "service": random.choice(["junk", "Junk removal", "dumpster-10"]),
            "price": random.choice(PRICES),
            "status": random.choice(STATUSES),
            "token": f"token-{number}{random.choice(ODD) if number > 1 else ''}",
        }
        if number % 3:
            row["phone"] = f"907-{200 + number % 700}-{number % 10_000:04d}"
            row["email"] = f"ann{number}@example.com"
        is_good = number % BROKEN_EVERY != 0
        if not is_good:
            row |= FAULTS[number // BROKEN_EVERY % len(FAULTS)]
        yield (f"QDN-{number + 5000}" if number % 2 else f"job {number}"), row, is_good


def write(path: Path, rows: int) -> set[str]:
    """Write the registry, and return the ids of its good rows."""
    good = set()
    with path.open("w") as file:
        file.write("{\n")
        for place, (name, row, is_good) in enumerate(entries(rows)):
            file.write(f"{',' if place else ''}{json.dumps(name)}: {json.dumps(row)}\n")
            if is_good:
                good.add(name)
        file.write("}\n")
    return good


class Place:
    """A database of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = os.environ | {"DATA_DIR": str(folder), "DEBUG": "true"}
        self.env.pop("DATABASE_URL", None)
        folder.mkdir()
        self.manage("migrate", "-v0")

    def manage(self, *words: str) -> str:
        done = subprocess.run([*MANAGE, *words], env=self.env, capture_output=True, check=False)
        return done.stdout.decode()

    def take(self, path: Path, *, kill_after: float = 0) -> tuple[dict[str, Any] | None, int]:
        """Import; return the result and the peak memory in MB, or None if it was killed."""
        command = [*MANAGE, "import_jobs", str(path), "--json"]
        with tempfile.TemporaryFile() as out:
            run = subprocess.Popen(command, env=self.env, stdout=out, stderr=subprocess.DEVNULL)
            if kill_after:
                try:
                    run.wait(kill_after)
                except subprocess.TimeoutExpired:
                    run.kill()
            _, _, used = os.wait4(run.pid, 0)
            out.seek(0)
            text = out.read()
        return (json.loads(text) if text else None), used.ru_maxrss // 1024

    def rows(self) -> dict[str, Any]:
        """Return the jobs as `export_jobs` writes them."""
        self.manage("export_jobs", str(self.folder / "export.json"))
        exported = json.loads((self.folder / "export.json").read_text())
        return dict(exported)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    random.seed(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "former.json")
        good = write(path, options.rows)
        whole = Place(Path(folder, "whole"))
        first, memory = whole.take(path)
        assert first
        broken = {one["id"] for one in first["refused"]}
        show("first run", first, memory)
        rows = whole.rows()
        second, memory = whole.take(path)
        assert second
        show("second run", second, memory)
        killed = Place(Path(folder, "killed"))
        for _ in range(options.kills):
            moment = random.uniform(2, max(3, first["seconds"] * 0.8))
            killed.take(path, kill_after=moment)
            print(f"killed after {moment:.1f} s: {len(killed.rows()):,} jobs taken")
        last, memory = killed.take(path)
        assert last
        show("last run", last, memory)
        faults = {
            "good rows are missing": bool(good - rows.keys()),
            "broken rows were taken": bool(rows.keys() - good),
            "broken rows were not named": broken
            != {n for n, _, ok in entries(options.rows) if not ok},
            "the second run changed something": bool(second["created"] or second["changed"])
            or whole.rows() != rows,
            "the killed runs led to other rows": killed.rows() != rows,
        }
    found = [fault for fault, is_met in faults.items() if is_met]
    print("; ".join(found) or "every good row taken, every broken one named, repeats are equal")
    return bool(found)


def show(name: str, result: dict[str, Any], memory: int) -> None:
    counts = {**result, "refused": len(result["refused"])}
    text = ", ".join(f"{value:,} {key}" for key, value in counts.items())
    print(f"{name}: {text}, {memory} MB")


if __name__ == "__main__":
    started = time.monotonic()
    code = main()
    print(f"{time.monotonic() - started:.0f} s in all")
    raise SystemExit(code)
