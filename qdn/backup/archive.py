"""One backup in a target: its parts, each with a digest, and the manifest that lists them."""

import gzip
import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, BinaryIO

from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage

from deployments.errors import Refused

VERSION = 1
ROOT = "backups"
MANIFEST = "manifest.json"
STORE, MEDIA = "store", "media"
CHUNK_BYTES = 2**20
LEVEL = 3  # of gzip: twice as fast as the default, and a tenth larger


@dataclass(frozen=True, slots=True)
class Part:
    """A gzipped file of JSON lines: its SHA-256 (hex) and size in bytes as stored, and its rows."""

    sha256: str
    bytes: int
    rows: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds.

    `migrations` are the applied ones (app, name). `parts` by path: `tables/<table>`, `store`,
    `media`.
    """

    name: str
    created_at: str
    vendor: str
    migrations: list[tuple[str, str]]
    parts: dict[str, Part] = field(default_factory=dict)
    v: int = VERSION

    @property
    def tables(self) -> dict[str, Part]:
        return {
            path.partition("/")[2]: part
            for path, part in self.parts.items()
            if path.startswith("tables/")
        }

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.tables.values())


def new_manifest(*, vendor: str, migrations: list[tuple[str, str]]) -> Manifest:
    """Return the manifest of a backup that begins now; names sort by time."""
    now = datetime.now(UTC)
    name = f"{now:%Y%m%d-%H%M%S-%f}"
    return Manifest(name, now.isoformat(timespec="seconds"), vendor, migrations)


class Archive:
    """A backup by its name in a target."""

    def __init__(self, target: Storage, name: str) -> None:
        self.target, self.name = target, name

    def write(self, path: str, lines: Iterable[Any]) -> Part:
        """Write a part from values of JSON, one for each line."""
        rows = 0
        with tempfile.TemporaryFile() as packed:  # it has no name, so no other user can open it
            with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=LEVEL, mtime=0) as output:
                for line in lines:
                    output.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
                    rows += 1
            size = packed.tell()
            packed.seek(0)
            sha256 = hashlib.file_digest(packed, "sha256").hexdigest()
            packed.seek(0)
            self.target.save(self._file(path), File(packed))
        return Part(sha256, size, rows)

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest, which makes the backup exist."""
        body = json.dumps(asdict(manifest), indent=1).encode()
        self.target.save(f"{ROOT}/{self.name}/{MANIFEST}", ContentFile(body))

    def discard(self, paths: Iterable[str]) -> None:
        """Remove the parts of a backup that was not finished."""
        for path in paths:
            self.target.delete(self._file(path))

    def read_manifest(self) -> Manifest:
        """Read the manifest. Raises Refused."""
        with self.target.open(f"{ROOT}/{self.name}/{MANIFEST}") as file:
            body = file.read()
        try:
            fields = json.loads(body)
            if fields["v"] != VERSION:
                raise self._damaged(f"its format is {fields['v']}, expected {VERSION}")
            parts = {path: Part(**part) for path, part in fields.pop("parts").items()}
            migrations = [(app, name) for app, name in fields.pop("migrations")]
            return Manifest(**fields, migrations=migrations, parts=parts)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._damaged(f"{MANIFEST} cannot be read") from error

    def check(self, path: str, part: Part) -> None:
        """Check the digest of a part. Raises Refused."""
        with self._downloaded(path, part):
            pass

    def lines(self, path: str, part: Part) -> Iterator[Any]:
        """Iterate over the lines of a part, once its digest is checked. Raises Refused."""
        with self._downloaded(path, part) as packed, gzip.GzipFile(fileobj=packed) as unpacked:
            for line in unpacked:
                yield json.loads(line)

    @contextmanager
    def _downloaded(self, path: str, part: Part) -> Iterator[BinaryIO]:
        found = hashlib.sha256()
        with tempfile.TemporaryFile() as packed:
            try:
                with self.target.open(self._file(path)) as file:
                    for chunk in file.chunks(CHUNK_BYTES):
                        found.update(chunk)
                        packed.write(chunk)
            except FileNotFoundError as error:
                raise self._damaged(f"{path} is missing") from error
            if found.hexdigest() != part.sha256:
                raise self._damaged(f"{path} is not what was written")
            packed.seek(0)
            yield packed

    def _file(self, path: str) -> str:
        return f"{ROOT}/{self.name}/{path}.jsonl.gz"

    def _damaged(self, fault: str) -> Refused:
        return Refused(
            "backup-damaged",
            f"The backup {self.name} is damaged: {fault}. Nothing was changed.",
            "Use another one with --backup, or another copy of this one.",
        )


def find_archive(target: Storage, name: str | None = None) -> Archive:
    """Return a finished backup by its name, or the newest. Raises Refused (`backup-missing`)."""
    try:
        names = sorted(target.listdir(ROOT)[0], reverse=True)
    except FileNotFoundError:
        names = []
    finished = (one for one in names if target.exists(f"{ROOT}/{one}/{MANIFEST}"))
    found = next((one for one in finished if name in {None, one}), None)
    if found is None:
        wanted = f"no finished backup '{name}'" if name else "no finished backup"
        raise Refused(
            "backup-missing",
            f"There is {wanted} there; found: {', '.join(names[:5]) or 'nothing'}.",
            "Check the place; it is the one that was given to the command backup.",
        )
    return Archive(target, found)
