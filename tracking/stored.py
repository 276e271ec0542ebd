"""The documents that the object store holds."""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from edge.errors import ObjectMissing
from edge.protocols import ListedObject, ObjectStore

PREFIX = "jobs/"
AT_ONCE = 1_000  # documents compared with one query
REQUESTS_AT_ONCE = 16
_KEY = re.compile(r"jobs/([0-9a-f]{64})\.json")

Documents = dict[str, ListedObject]


def listed_documents(objects: ObjectStore, part: str = "") -> Iterator[Documents]:
    """Iterate over documents in batches, by the SHA-256 of their token, which begins with `part`.

    Raises EdgeError.
    Read the links after a batch: a link is committed before its document is written, so the links
    of all documents in the batch are there.
    """
    listed = iter(objects.list(PREFIX + part))
    while batch := list(islice(listed, AT_ONCE)):
        yield {found[1]: one for one in batch if (found := _KEY.fullmatch(one.key))}


def read_documents(objects: ObjectStore, keys: Sequence[str]) -> list[bytes]:
    """Return the content of documents; b"" for one that is gone. Raises EdgeError."""

    def read(key: str) -> bytes:
        try:
            return objects.get(key).body
        except ObjectMissing:
            return b""

    if not keys:
        return []
    with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
        return list(pool.map(read, keys))
