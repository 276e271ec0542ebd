"""Compares promotions and rollbacks of releases with 10 and with 100,000 files.

Run it as `.venv/bin/python bench/switch.py` (local back end) or with `--backend aws` (the AWS
emulator). Each switch runs in a new process, as from a shell. The figures are the seconds of the
whole process, and those that the command reports, without Python's start. Small and large releases
alternate, so that a slow moment affects both. Creating the large releases takes some minutes.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.places import set_up  # noqa: E402

PAGES = ["index.html", "book/index.html", "track/index.html", "dashboard/index.html", "404.html"]
SMALL = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--backend", choices=["local", "aws"], default="local")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        set_up(stack, folder, options.backend)
        releases = {size: make_releases(size) for size in (SMALL, options.files)}
        print(f"{options.backend}: {count_requests(releases[options.files])}")
        times = measure(releases, options.rounds)
    for what in ("promote", "rollback"):
        for part, name in enumerate(["whole process", "reported by the command"]):
            small, large = (median(t[part] for t in times[size, what]) for size in releases)
            print(
                f"{options.backend}, {what}, {name}: {SMALL} files {small:.2f} s, "
                f"{options.files:,} files {large:.2f} s, ratio {large / small:.2f}"
            )


def make_releases(size: int) -> list[str]:
    """Create two releases that share four fifths of `size` files, and return their names."""
    from deployments.releases.upload import make_release  # noqa: PLC0415
    from deployments.releases.upload_plan import plan_release  # noqa: PLC0415
    from edge.backends import get_backend  # noqa: PLC0415

    objects, names = get_backend().objects, []
    for mark in "AB":
        plan = plan_release(objects=objects, files=make_files(size, mark), environment=None)
        release = make_release(
            objects=objects, plan=plan, message=mark, actor="bench", say=lambda line: None
        )
        names.append(release.name)
    return names


def make_files(size: int, mark: str) -> list:
    from deployments.releases.manifest import from_bytes  # noqa: PLC0415

    # The same error page in both: it has a fixed key, and a new one would be invalidated.
    pages = [from_bytes(path, f"{mark} of {size}: {path}".encode()) for path in PAGES[:-1]]
    pages.append(from_bytes(PAGES[-1], b"nothing here"))
    shared = (size - len(PAGES)) * 4 // 5
    assets = [from_bytes(f"assets/{size}-{n}.js", b"// %d" % n) for n in range(shared)]
    more = range(size - len(PAGES) - shared)
    return [*pages, *assets, *(from_bytes(f"more/{n}.txt", f"{mark} {n}".encode()) for n in more)]


def count_requests(names: list[str]) -> str:
    """Return how much one switch requests of the key-value store and the caches, as text."""
    from dataclasses import replace  # noqa: PLC0415

    from deployments.deploy.deploy import deploy  # noqa: PLC0415
    from deployments.deploy.targets import promote_target  # noqa: PLC0415
    from deployments.models import Environment, Release  # noqa: PLC0415
    from deployments.wording import plural  # noqa: PLC0415
    from edge.backends import get_backend  # noqa: PLC0415
    from tests.deployments.doubles import Counting  # noqa: PLC0415

    staging, production = (Environment.objects.named(name) for name in ("staging", "production"))
    for name in names:
        backend = get_backend()
        counting = Counting(backend.keyvalues)
        target = promote_target(
            source=staging,
            to=production,
            release=Release.objects.named(name),
            actor="bench",
        )
        done = deploy(replace(backend, keyvalues=counting), target, say=lambda line: None)
    updates = plural(counting.calls["update"], "key-value update")
    return f"{updates}, {plural(done.invalidated, 'path')} invalidated"


def measure(releases: dict[int, list[str]], rounds: int) -> dict[tuple[int, str], list]:
    """Promote and roll back small and large releases alternately."""
    times: dict[tuple[int, str], list[tuple[float, float]]] = {}
    for _ in range(rounds):
        for size, (first, second) in releases.items():
            command("promote", "--release", first)
            times.setdefault((size, "promote"), []).append(command("promote", "--release", second))
            times.setdefault((size, "rollback"), []).append(command("rollback", first))
            command("unfreeze", "--release", second)
    return times


def command(*words: str) -> tuple[float, float]:
    """Run a command; return the seconds of the process and those that it reports."""
    line = [sys.executable, "manage.py", *words, "--yes", "--json"]
    started = time.perf_counter()
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(f"{' '.join(words)} exited with {done.returncode}: {done.stderr}")
    return seconds, json.loads(done.stdout).get("seconds", 0)


if __name__ == "__main__":
    main()
