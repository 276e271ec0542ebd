"""Measures how long a command takes to start, against bare Django, as whole processes.

Run it as `.venv/bin/python bench/start.py` (`--rounds`) on a quiet machine. `manage.py releases
--json` reads one table and imports no AWS library. Bare Django is a new project with Django's own
apps that reads one table too (`dumpdata auth.group`); `python -c pass` is the interpreter alone.
All take turns within a round. The table shows medians; the ratio is the median of the rounds'.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
MANAGE = [sys.executable, str(ROOT / "manage.py")]
OURS, BARE, PYTHON = "releases --json", "bare Django, dumpdata", "python -c pass"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    # Modules are compiled in the first run, which does not count.
    environ = {**os.environ, "DEBUG": "true"}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as folder:
        environ |= {"DATA_DIR": folder, "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3"}
        run([*MANAGE, "migrate", "-v0"], environ)
        bare = bare_project(Path(folder), environ)
        commands = {
            OURS: [*MANAGE, "releases", "--json"],
            BARE: [sys.executable, str(bare), "dumpdata", "auth.group"],
            PYTHON: [sys.executable, "-c", "pass"],
        }
        for command in commands.values():
            run(command, environ)
        rounds = [
            {name: run(command, environ) for name, command in commands.items()}
            for _ in range(options.rounds)
        ]
    report(rounds)


def bare_project(folder: Path, environ: dict[str, str]) -> Path:
    """Make a new Django project with its tables; return its manage.py."""
    (folder / "bare").mkdir()
    run([sys.executable, "-m", "django", "startproject", "bare", str(folder / "bare")], environ)
    manage = folder / "bare" / "manage.py"
    environ.pop("DJANGO_SETTINGS_MODULE", None)
    run([sys.executable, str(manage), "migrate", "-v0"], environ)
    return manage


def run(command: list[str], environ: dict[str, str]) -> tuple[float, float]:
    """Run a command; return its seconds and processor seconds."""
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    return time.perf_counter() - started, used.ru_utime + used.ru_stime


def report(rounds: list[dict[str, tuple[float, float]]]) -> None:
    """Print a table in Markdown."""
    print("| command | seconds (best to worst) | of bare Django | processor seconds |")
    print("|---|---|---|---|")
    for name in rounds[0]:
        seconds = [one[name][0] for one in rounds]
        ratio = median(one[name][0] / one[BARE][0] for one in rounds)
        cpu = median(one[name][1] for one in rounds)
        spread = f"{median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f})"
        print(f"| `{name}` | {spread} | {ratio:.2f} | {cpu:.2f} |")


if __name__ == "__main__":
    main()
