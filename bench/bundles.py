"""Folders as a bundler makes them: a fifth documents, four fifths files with hashed names."""

import hashlib
import math
import random
import shutil
from pathlib import Path

SMALLEST, LARGEST = 500, 200_000  # bytes
CHANGED = 0.01


def make_bundle(folder: Path, files: int) -> int:
    """Write so many files; give their bytes. Sizes are spread evenly over the orders of magnitude.

    The same number of files is always the same bundle.
    """
    chance = random.Random(files)
    for number in range(files):
        _write(folder, number, _content(chance))
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def change_bundle(source: Path, folder: Path, files: int) -> None:
    """Copy a bundle, times included, and change one file in a hundred, as another build would."""
    shutil.copytree(source, folder)
    chance = random.Random(files + 1)
    for number in range(0, files, round(1 / CHANGED)):
        # By turns: of every five changed files one is a document.
        changed = number + number // 100 % 5
        for old in folder.glob(f"assets/{changed % 100:02}/chunk-{changed}.*"):
            old.unlink()
        _write(folder, changed, _content(chance))


def _write(folder: Path, number: int, content: bytes) -> None:
    path = folder / _name(number, content)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _name(number: int, content: bytes) -> str:
    if number == 0:
        return "index.html"
    if number % 5 == 0:
        return f"pages/{number % 100:02}/{number}/index.html"
    digest = hashlib.sha256(content).hexdigest()[:12]
    return f"assets/{number % 100:02}/chunk-{number}.{digest}.js"


def _content(chance: random.Random) -> bytes:
    size = SMALLEST * math.exp(chance.random() * math.log(LARGEST / SMALLEST))
    return chance.randbytes(int(size))
