"""Where a request ends, seen from its bytes, and which requests are refused.

This decides only how many bytes to wait for; gunicorn's parser judges the request afterwards. A
request that it would frame differently cannot make it read beyond those bytes.
"""

import re
import tempfile
import weakref
from collections.abc import Callable, Iterator
from typing import IO

# Requests of browsers have 1 to 2 KB of headers; a session, a preview and long paths fit too.
HEAD_BYTES = 32 * 1024
CHUNK_BYTES = 64 * 1024
# A body has a second more for each 4 KB, so 1 MB of photos may come at 32 kbit/s, but not more than
# 270 s: 100 MB at 3 Mbit/s.
SLOWEST_BYTES = 4096
LARGE_SECONDS = 270
# So many large bodies at a time in each process: forms with photos need no token, and each can put
# 61 MB on disk.
MOST_IN_FILES = 32
# After an answer, a connection stays open so long for the viewer to close it. Closing it while
# something of the viewer's is unread would destroy the end of the answer on its way.
LINGER_SECONDS = 2.0
_END_OF_HEAD = b"\r\n\r\n"
_BODY_FIELDS = re.compile(rb"\r\n(content-length|transfer-encoding):[ \t]*([^\r\n]*)", re.I)
_LONGEST_LENGTH = 15  # digits; int() accepts leading zeros
# Accepts a body of a size beyond the limit, by the head of the request, or raises RequestRefused.
CheckLarge = Callable[[bytes, int], None]


class RequestRefused(Exception):
    """A request that is not served. `answer` is the whole response.

    What still arrives is discarded for `linger_seconds`: browsers read an answer only once they
    have sent everything.
    """

    def __init__(
        self,
        status: str,
        text: str,
        *,
        content_type: str = "text/plain; charset=utf-8",
        policy: str = "default-src 'none'",
        linger_seconds: float = LINGER_SECONDS,
    ) -> None:
        super().__init__(text)
        self.linger_seconds = linger_seconds
        body = f"{text}\n".encode()
        self.answer = (
            f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\n"
            f"Content-Length: {len(body)}\r\nContent-Security-Policy: {policy}\r\n"
            "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
        ).encode() + body


def too_large(size: int, most: int) -> RequestRefused:
    """Return the refusal of a body that is larger than a form may be."""
    return RequestRefused(
        "413 Content Too Large",
        f"A request can have {most // 1024:,} KB; this one has {size // 1024:,} KB. "
        "Send less text.",
    )


class ArrivingRequest:
    """The bytes of one request so far, which may have the beginning of the next one too.

    They are kept in memory, or in a temporary file if the body is larger than a form may be.
    """

    __slots__ = (
        "__weakref__",
        "_body_bytes",
        "_check_large",
        "_data",
        "_file",
        "_received",
        "_size",
        "deadline",
    )

    def __init__(
        self,
        data: bytes,
        *,
        body_bytes: int,
        deadline: float,
        check_large: CheckLarge | None = None,
    ) -> None:
        """`body_bytes` is the largest body to accept; `deadline` is in time.monotonic().

        `check_large` decides on larger ones.
        """
        self.deadline = deadline
        self._data = bytearray(data)
        self._received = len(data)
        self._file: IO[bytes] | None = None
        self._body_bytes = body_bytes
        self._check_large = check_large
        self._size: int | None = None

    def add(self, data: bytes) -> None:
        """Take more bytes."""
        self._received += len(data)
        if self._file:
            self._file.write(data)
        else:
            self._data += data

    def is_whole(self) -> bool:
        """Whether the request has arrived. Raises RequestRefused."""
        if self._size is None:
            self._size = request_size(
                self._data, body_bytes=self._body_bytes, check_large=self._check_large
            )
            if self._size:
                self.deadline += min(LARGE_SECONDS, self._size / SLOWEST_BYTES)
                if self._size > HEAD_BYTES + self._body_bytes:
                    self._move_to_file()
        return self._size is not None and self._received >= self._size

    def content(self) -> Iterator[bytes]:
        """Iterate over the bytes, once."""
        if self._file is None:
            yield bytes(self._data)
            return
        with self._file as file:
            file.seek(0)
            while chunk := file.read(CHUNK_BYTES):
                yield chunk

    def _move_to_file(self) -> None:
        if len(_in_files) >= MOST_IN_FILES:
            raise RequestRefused(
                "503 Service Unavailable",
                "Too many files are arriving. Nothing was saved. Send it again in a minute.",
            )
        _in_files.add(self)
        self._file = tempfile.TemporaryFile(prefix="qdn-body-")  # noqa: SIM115 - kept for a while
        self._file.write(self._data)
        self._data.clear()


_in_files: "weakref.WeakSet[ArrivingRequest]" = weakref.WeakSet()


def request_size(
    data: bytes | bytearray, *, body_bytes: int, check_large: CheckLarge | None = None
) -> int | None:
    """Return the size in bytes of the request that `data` begins with, head and body.

    Returns None while its head is incomplete. Raises RequestRefused.
    """
    end = data.find(_END_OF_HEAD)
    if (len(data) if end < 0 else end) > HEAD_BYTES:
        raise RequestRefused(
            "431 Request Header Fields Too Large",
            f"The address and headers of a request can have {HEAD_BYTES // 1024} KB together. "
            "Delete this site's cookies, or shorten the address.",
        )
    if end < 0:
        return None
    size = _body_size(data, end)
    if size > body_bytes:
        if check_large is None:
            raise too_large(size, body_bytes)
        check_large(bytes(data[: end + 2]), size)
    return end + len(_END_OF_HEAD) + size


def _body_size(data: bytes | bytearray, end: int) -> int:
    size = 0
    for name, value in _BODY_FIELDS.findall(data, 0, end):
        if name[:1] in b"tT":
            raise RequestRefused(
                "411 Length Required", "Send the body with a Content-Length, not in chunks."
            )
        digits = value.strip(b" \t")
        # Anything else is left to gunicorn, which refuses it.
        size = int(digits) if digits.isdigit() and len(digits) <= _LONGEST_LENGTH else size
    return size
