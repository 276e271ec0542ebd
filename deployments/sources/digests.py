"""Hashing files one by one; run as a program, those whose paths come in, NUL between them.

A bare interpreter runs it, so nothing outside of the standard library is imported here.
"""

import hashlib
import sys

CHUNK_BYTES = 2**18

Digest = tuple[str, int]  # SHA-256 in hexadecimal, and the file's size in bytes


def hash_file(path: str | bytes) -> Digest:
    """Hash one file. Raises OSError."""
    digest, size = hashlib.sha256(), 0
    # Unbuffered: most files are read in one piece.
    with open(path, "rb", buffering=0) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def main() -> None:
    """Answer each path with a line: digest, size."""
    for path in sys.stdin.buffer.read().split(b"\0"):
        sha256, size = hash_file(path)
        sys.stdout.write(f"{sha256} {size}\n")


if __name__ == "__main__":
    main()
