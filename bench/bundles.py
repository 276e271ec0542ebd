"""Folders like a bundler's output: one fifth documents, four fifths files with hashed names."""

import hashlib
import math
import random
import shutil
from pathlib import Path

SMALLEST, LARGEST = 500, 200_000  # bytes
CHANGED = 0.01


def make_bundle(folder: Path, files: int) -> int:
    """Write a bundle of `files` files and return its size in bytes.

    File sizes are spread evenly over the orders of magnitude. The same number of files always makes
    the same bundle.
    """
    rng = random.Random(files)
    for number in range(files):
        _write(folder, number, _content(rng))
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def change_bundle(source: Path, folder: Path, files: int) -> None:
    """Copy a bundle with its file times, and change one file in a hundred, as a new build would."""
    shutil.copytree(source, folder)
    rng = random.Random(files + 1)
    for number in range(0, files, round(1 / CHANGED)):
        # One of every five changed files is a document.
        changed = number + number // 100 % 5
        for old in folder.glob(f"assets/{changed % 100:02}/chunk-{changed}.*"):
            old.unlink()
        _write(folder, changed, _content(rng))


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


def _content(rng: random.Random) -> bytes:
    size = SMALLEST * math.exp(rng.random() * math.log(LARGEST / SMALLEST))
    return rng.randbytes(int(size))
