"""Measures `push` against s5cmd, aws and rclone, as whole processes on the stand-in for AWS.

Run it as `.venv/bin/python bench/push.py` (`--files`, `--rounds`, `--latency`) on a quiet machine.
A peer syncs the whole folder to a fresh prefix, which is the work of an atomic, versioned
deployment; syncing in place is shown too, though it is neither. `s5cmd cp` shows what the copies of
a changed site take by themselves, with no file read and nothing planned. All take turns within a
round, so that a slow moment meets all; the table shows medians. The stand-in holds each answer back
for the latency, with requests in flight side by side, and forgets everything before each turn.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.bundles import change_bundle, make_bundle  # noqa: E402
from bench.peers import Peer, peers  # noqa: E402
from tests.aws import stand_in  # noqa: E402

FIRST, CHANGED, SAME = "first push", "1% changed", "nothing changed"
UPLOAD_ONLY = "nothing changed, --no-deploy"
IN_PLACE = ", in place"
COPIED = "unchanged documents only"
OURS, MEASURE = "push", "s5cmd sync"


class Run(NamedTuple):
    """What one process took."""

    seconds: float
    cpu: float
    megabytes: float


class Bundles(NamedTuple):
    """A site, and the same site with 1 % of its files changed."""

    first: Path
    changed: Path
    bytes: int


def make_bundles(folder: Path, files: int) -> Bundles:
    first, changed = folder / f"{files}", folder / f"{files}-changed"
    size = make_bundle(first, files)
    change_bundle(first, changed, files)
    return Bundles(first, changed, size)


class Bench:
    """Runs contestants on one bundle and keeps what each took: by name and case."""

    def __init__(self, folder: Path, bundles: "Bundles", port: int) -> None:
        self.folder, self.port = folder, port
        self.bundle, self.changed = bundles.first, bundles.changed
        self.runs: dict[tuple[str, str], list[Run]] = {}
        self.environ = {
            **os.environ,
            **stand_in.environ(port),
            **stand_in.SETTINGS,
            # The proxy that makes boto3's other names resolve is not used for the bucket.
            "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{port}",
            "NO_PROXY": "127.0.0.1",
        }
        self.environ.pop("AWS_CA_BUNDLE", None)  # rclone stumbles over it, and there is no TLS
        # pip compiles the peers' modules when it installs them; ours are with their first run.
        self.environ.pop("PYTHONDONTWRITEBYTECODE", None)

    def push(self) -> None:
        """Push a site for the first time, one that changed, and one that did not."""
        data = Path(tempfile.mkdtemp(dir=self.folder))
        environ = {
            **self.environ,
            "DATA_DIR": str(data),
            "DATABASE_URL": f"sqlite:///{data}/db.sqlite3",
            "DEBUG": "true",
        }
        self._start_empty()
        manage = [sys.executable, str(ROOT / "manage.py")]
        subprocess.run([*manage, "migrate", "-v0"], env=environ, check=True)
        push = [*manage, "push", "--json"]
        self._run(OURS, FIRST, [*push, "--source", str(self.bundle)], environ)
        self._run(OURS, CHANGED, [*push, "--source", str(self.changed)], environ)
        self._run(OURS, SAME, [*push, "--source", str(self.changed)], environ)
        same = [*push, "--no-deploy", "--source", str(self.changed)]
        self._run(OURS, UPLOAD_ONLY, same, environ)

    def sync(self, peer: Peer) -> None:
        """Sync to a fresh prefix, and then in place; copy alone what a push copies, in between."""
        environ = {**self.environ, **peer.environ}
        self._start_empty()
        target = f"{stand_in.BUCKET}/releases/1"
        self._run(peer.name, FIRST, peer.command(self.bundle, target), environ)
        if peer.copy:
            pages = peer.copy(f"{target}/pages", f"{stand_in.BUCKET}/releases/2/pages")
            self._run(f"{peer.name.split()[0]} cp", COPIED, pages, environ)
        self._run(peer.name, CHANGED + IN_PLACE, peer.command(self.changed, target), environ)
        self._run(peer.name, SAME + IN_PLACE, peer.command(self.changed, target), environ)

    def _start_empty(self) -> None:
        stand_in.reset(self.port)
        # In a process of its own, because boto3 reads the variables that lead to the stand-in.
        make = "from tests.aws.plain import PlainBoto; PlainBoto().create_places()"
        subprocess.run([sys.executable, "-c", make], cwd=ROOT, env=self.environ, check=True)

    def _run(self, name: str, case: str, command: list[str], environ: dict[str, str]) -> None:
        with tempfile.TemporaryFile() as output:
            started = time.perf_counter()
            process = subprocess.Popen(command, env=environ, stdout=output, stderr=output)
            _, status, used = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            if process.returncode:
                raise SystemExit(f"{name} failed: {output.read().decode()[-2000:]}")
            self._check(name, case, output.read())
        run = Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
        self.runs.setdefault((name, case), []).append(run)
        print(f"  {name}, {case}: {run.seconds:.2f} s, processor {run.cpu:.2f} s", flush=True)

    def _check(self, name: str, case: str, output: bytes) -> None:
        """Refuse to measure a push that did something else."""
        if name != OURS:
            return
        told = json.loads(output)
        files = told["files"]
        transferred = {FIRST: files, CHANGED: files * 0.2 + files * 0.008}.get(case, 0)
        done = told["uploaded"] + told["copied"]
        assert abs(done - transferred) <= files * 0.002, told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tools", type=Path, default=ROOT / "var" / "bench-tools")
    parser.add_argument("--latency", type=float, nargs="+", default=[0], metavar="MS")
    parser.add_argument("--only", nargs="+", metavar="TOOL", help="s5cmd, aws, rclone")
    parser.add_argument("--save", type=Path, help="write the figures to this file, as JSON")
    options = parser.parse_args()
    saved = {}
    with tempfile.TemporaryDirectory() as folder:
        for files in options.files:
            bundles = make_bundles(Path(folder), files)
            for latency in options.latency:
                runs = measure(Path(folder), bundles, latency, options)
                report(runs, f"{files:,} files, {bundles.bytes / 1e6:.0f} MB, {latency:g} ms")
                saved[f"{files} files, {latency:g} ms"] = {
                    f"{name}|{case}": told for (name, case), told in runs.items()
                }
                if options.save:
                    options.save.write_text(json.dumps(saved))


def measure(
    folder: Path, bundles: Bundles, latency: float, options: argparse.Namespace
) -> dict[tuple[str, str], list[Run]]:
    """Run all rounds on a stand-in with a latency in milliseconds."""
    with stand_in.running(0, latency_ms=latency) as port:
        against = [
            peer
            for peer in peers(options.tools, f"http://127.0.0.1:{port}")
            if not options.only or peer.name.split()[0] in options.only
        ]
        bench = Bench(folder, bundles, port)
        for number in range(options.rounds):
            print(f"{latency:g} ms, round {number + 1}, load {os.getloadavg()[0]:.1f}", flush=True)
            bench.push()
            for peer in against:
                bench.sync(peer)
    return bench.runs


def report(all_runs: dict[tuple[str, str], list[Run]], title: str) -> None:
    """Print a table in Markdown: medians, spread, and the ratio to s5cmd's first push."""
    print(f"\n{title}")
    titles = ["tool", "what", "seconds (best to worst)", "of s5cmd's first push"]
    print(f"| {' | '.join([*titles, 'processor seconds', 'peak memory'])} |")
    print("|---|---|---|---|---|---|")
    against = all_runs.get((MEASURE, FIRST), [])
    for (name, case), runs in all_runs.items():
        seconds = [run.seconds for run in runs]
        ratios = [run.seconds / peer.seconds for run, peer in zip(runs, against, strict=False)]
        print(
            f"| {name} | {case} | {median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f})"
            f" | {median(ratios):.2f} | {median(run.cpu for run in runs):.1f}"
            f" | {median(run.megabytes for run in runs):.0f} MB |"
        )


if __name__ == "__main__":
    main()
