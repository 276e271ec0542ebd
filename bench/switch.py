"""Measures promotions and rollbacks of releases of 10 and of 100,000 files against each other.

Run it as `.venv/bin/python bench/switch.py` (local back end) or with `--backend aws` (the stand-in
for AWS). Each switch is a process of its own, as at a shell; told are the whole process, and the
command's own seconds, without the start of Python. Small and large take turns, so that a slow
moment meets both. Making the large releases takes some minutes.
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
        print(f"{options.backend}: {counted(releases[options.files])}")
        times = measure(releases, options.rounds)
    for what in ("promote", "rollback"):
        for part, name in enumerate(["whole process", "the command's own seconds"]):
            small, large = (median(t[part] for t in times[size, what]) for size in releases)
            print(
                f"{options.backend}, {what}, {name}: {SMALL} files {small:.2f} s, "
                f"{options.files:,} files {large:.2f} s, ratio {large / small:.2f}"
            )


def make_releases(size: int) -> list[str]:
    """Make two releases of so many files, four fifths of them shared by both; name them."""
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

    # The error page is the one path that keeps its key, and would be invalidated.
    pages = [from_bytes(path, f"{mark} of {size}: {path}".encode()) for path in PAGES[:-1]]
    pages.append(from_bytes(PAGES[-1], b"nothing here"))
    shared = (size - len(PAGES)) * 4 // 5
    assets = [from_bytes(f"assets/{size}-{n}.js", b"// %d" % n) for n in range(shared)]
    more = range(size - len(PAGES) - shared)
    return [*pages, *assets, *(from_bytes(f"more/{n}.txt", f"{mark} {n}".encode()) for n in more)]


def counted(names: list[str]) -> str:
    """Count what one switch asks of the key-value store and the caches."""
    from dataclasses import replace  # noqa: PLC0415

    from deployments.deploy.deploy import deploy  # noqa: PLC0415
    from deployments.deploy.targets import promote_target  # noqa: PLC0415
    from deployments.models import Environment, Release  # noqa: PLC0415
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
    return f"{counting.calls['update']} key-value update, {done.invalidated} paths invalidated"


def measure(releases: dict[int, list[str]], rounds: int) -> dict[tuple[int, str], list]:
    """Promote and roll back small and large by turns."""
    times: dict[tuple[int, str], list[tuple[float, float]]] = {}
    for _ in range(rounds):
        for size, (first, second) in releases.items():
            command("promote", "--release", first)
            times.setdefault((size, "promote"), []).append(command("promote", "--release", second))
            times.setdefault((size, "rollback"), []).append(command("rollback", first))
            command("unfreeze")
    return times


def command(*words: str) -> tuple[float, float]:
    """Run a command; give the seconds of the process, and those it counted itself."""
    line = [sys.executable, "manage.py", *words, "--yes", "--json"]
    started = time.perf_counter()
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(f"{' '.join(words)} ended with {done.returncode}: {done.stderr}")
    return seconds, json.loads(done.stdout).get("seconds", 0)


if __name__ == "__main__":
    main()
