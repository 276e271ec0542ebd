"""Measures `push` against s5cmd, aws and rclone, as whole processes on the stand-in for AWS.

Run it as `.venv/bin/python bench/push.py` (`--files`, `--rounds`) on a quiet machine. A peer syncs
the whole folder to a fresh prefix, which is what an atomic, versioned deployment takes with it;
syncing in place is told too, though it is neither. What the copies of a changed site take by
themselves is told by s5cmd, with no file read and nothing planned. All take turns within a round,
so that a slow moment meets all; told are medians. The stand-in forgets everything before each.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
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
COPIED = "unchanged documents, no more"
OURS, MEASURE = "push", "s5cmd sync"


class Run(NamedTuple):
    """What one process took."""

    seconds: float
    cpu: float
    megabytes: float


class Bench:
    """Runs contestants on one bundle and keeps what each took: by name and case."""

    def __init__(self, folder: Path, files: int, port: int) -> None:
        self.folder, self.port = folder, port
        self.bundle, self.changed = folder / f"{files}", folder / f"{files}-changed"
        self.bytes = make_bundle(self.bundle, files)
        change_bundle(self.bundle, self.changed, files)
        self.runs: dict[tuple[str, str], list[Run]] = {}
        self.environ = {
            **os.environ,
            **stand_in.environ(port),
            **stand_in.SETTINGS,
            # Nobody reaches the bucket through the proxy that makes boto3's other names resolve.
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
    parser.add_argument("--save", type=Path, help="write the figures to this file, as JSON")
    options = parser.parse_args()
    saved = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        port = stack.enter_context(stand_in.running(0))
        against = peers(options.tools, f"http://127.0.0.1:{port}")
        for files in options.files:
            bench = Bench(folder, files, port)
            for number in range(options.rounds):
                print(f"{files:,} files, round {number + 1}, load {os.getloadavg()[0]:.1f}")
                bench.push()
                for peer in against:
                    bench.sync(peer)
            report(bench, files)
            saved[files] = {f"{name}|{case}": runs for (name, case), runs in bench.runs.items()}
    if options.save:
        options.save.write_text(json.dumps(saved))


def report(bench: Bench, files: int) -> None:
    """Print a table in Markdown: medians, spread, and what it is of s5cmd's first push."""
    print(f"\n{files:,} files, {bench.bytes / 1e6:.0f} MB")
    print("| tool | what | seconds (best to worst) | of s5cmd | processor seconds | peak memory |")
    print("|---|---|---|---|---|---|")
    against = bench.runs.get((MEASURE, FIRST), [])
    for (name, case), runs in bench.runs.items():
        seconds = [run.seconds for run in runs]
        ratios = [run.seconds / peer.seconds for run, peer in zip(runs, against, strict=False)]
        print(
            f"| {name} | {case} | {median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f})"
            f" | {median(ratios):.2f} | {median(run.cpu for run in runs):.1f}"
            f" | {median(run.megabytes for run in runs):.0f} MB |"
        )


if __name__ == "__main__":
    main()
