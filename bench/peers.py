"""Tools that `push` is measured against: where they come from, and how they sync a folder to S3."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements" / "bench.txt"


class Peer(NamedTuple):
    """A tool, and the command that makes a prefix of a bucket hold what a folder holds.

    `copy` copies what is below one prefix to another, in the bucket.
    """

    name: str
    command: Callable[[Path, str], list[str]]
    environ: dict[str, str]
    copy: Callable[[str, str], list[str]] | None = None


def peers(folder: Path, endpoint: str) -> list[Peer]:
    """Find or install the tools; say which are missing."""
    python_tools = _installed(folder / "peers")
    found = [
        _s5cmd(_path("s5cmd", python_tools), endpoint),
        _aws(_path("aws", python_tools), endpoint),
        *_rclone(shutil.which("rclone") or _unpacked(folder / "rclone"), endpoint),
    ]
    return [peer for peer in found if peer]


def _installed(folder: Path) -> Path:
    """Install the locked tools into an environment of their own, once; give its programs."""
    stamp = folder / "installed"
    if not stamp.exists() or stamp.read_bytes() != LOCK.read_bytes():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip: list[str | Path] = [folder / "bin" / "python", "-m", "pip", "install", "--quiet"]
        done = subprocess.run([*pip, "--require-hashes", "-r", LOCK], check=False)
        if done.returncode == 0:
            stamp.write_bytes(LOCK.read_bytes())
    return folder / "bin"


def _unpacked(folder: Path) -> str | None:
    """Take rclone from Debian's package, without installing it."""
    program = folder / "usr" / "bin" / "rclone"
    if not program.exists() and shutil.which("apt-get"):
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "--quiet=2", "download", "rclone"], cwd=folder, check=False)
        for package in folder.glob("rclone_*.deb"):
            subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
    return _path("rclone", program.parent)


def _path(name: str, folder: Path) -> str | None:
    if (folder / name).exists():
        return str(folder / name)
    print(f"MISSING: {name}; it is not compared")
    return None


def _s5cmd(program: str | None, endpoint: str) -> Peer | None:
    if program is None:
        return None

    def command(source: Path, target: str) -> list[str]:
        return [program, "--endpoint-url", endpoint, "sync", f"{source}/", f"s3://{target}/"]

    def copy(source: str, target: str) -> list[str]:
        return [program, "--endpoint-url", endpoint, "cp", f"s3://{source}/*", f"s3://{target}/"]

    return Peer("s5cmd sync", command, {}, copy)


def _aws(program: str | None, endpoint: str) -> Peer | None:
    if program is None:
        return None

    def command(source: Path, target: str) -> list[str]:
        quiet = ["--only-show-errors", "--endpoint-url", endpoint]
        return [program, "s3", "sync", *quiet, str(source), f"s3://{target}/"]

    return Peer("aws s3 sync", command, {})


def _rclone(program: str | None, endpoint: str) -> list[Peer | None]:
    if program is None:
        return []
    environ = {
        "RCLONE_CONFIG": os.devnull,
        "RCLONE_CONFIG_BENCH_TYPE": "s3",
        "RCLONE_CONFIG_BENCH_PROVIDER": "Other",
        "RCLONE_CONFIG_BENCH_ENV_AUTH": "true",
        "RCLONE_CONFIG_BENCH_ENDPOINT": endpoint,
        "RCLONE_CONFIG_BENCH_NO_CHECK_BUCKET": "true",
    }

    def command(*options: str) -> Callable[[Path, str], list[str]]:
        return lambda source, target: [program, "sync", *options, str(source), f"bench:{target}"]

    return [
        Peer("rclone sync", command(), environ),
        Peer("rclone sync, 32 at once", command("--transfers=32", "--checkers=32"), environ),
    ]
