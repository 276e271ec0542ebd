"""Measures how soon the site answers while viewers stall, and what that costs when none do.

Run it as `.venv/bin/python -m bench.stalls` (`--each`, `--seconds`, `--rounds`). So many viewers
stop in the body of a form, and as many send their headers at a byte a second. Three servers meet
them: gunicorn's gthread worker with 2 x 4 threads, the project's settings, and these behind nginx
with docs/examples/nginx.conf. Then the first two are loaded by turns; a ratio is the median of the
rounds' ratios.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from io import StringIO
from pathlib import Path
from statistics import median
from typing import NamedTuple

from django.core.management import call_command

from bench.edge import Server, load
from bench.places import set_up
from tests.server.nginx import proxy
from tests.server.servers import STALLED_BODY, STALLED_HEAD, fetch, gunicorn, send

PATHS = ["/", "/healthz", "/readyz"]
LOADED = ["/", "/t/"]  # from the edge, and from Django
QUIET = ["--log-level=error"]
GTHREAD = [*QUIET, "--worker-class=gthread", "--workers=2", "--threads=4"]
PATIENCE = 10  # seconds until an answer counts as missing
OK = 200


class Target(NamedTuple):
    """A server: how to fetch a path from it, and to send bytes to it."""

    name: str
    fetch: Callable
    send: Callable


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        set_up(stack, folder, "local")
        call_command("demo", stdout=StringIO())
        old, new = (
            Server(started.port, started.process.pid)
            for started in (
                stack.enter_context(gunicorn(os.environ, *how)) for how in (GTHREAD, QUIET)
            )
        )
        nginx = stack.enter_context(proxy(folder, new.port))
        print(f"load average {os.getloadavg()[0]:.1f}")
        compare(old, new, options.rounds)
        print("| server | path | before | while | after | missing |\n|---|---|---|---|---|---|")
        for target in (
            Target("gunicorn.conf.py", partial(fetch, new.port), partial(send, new.port)),
            Target("gunicorn.conf.py behind nginx", nginx.fetch, nginx.send),
            Target("gthread, 2 x 4 threads", partial(fetch, old.port), partial(send, old.port)),
        ):
            measure(target, options)


def compare(old: Server, new: Server, rounds: int) -> None:
    """Load two servers by turns, and print answers a second and processor time per answer."""
    for path in LOADED:
        loads = [[load(server, path, {}, 2) for server in (old, new)] for _ in range(rounds)]
        for name, sides in (
            ("answers/s", [(before.rate, after.rate) for before, after in loads]),
            ("processor us", [(before.cpu, after.cpu) for before, after in loads]),
        ):
            ratios = [after / before for before, after in sides]
            medians = " to ".join(f"{median(side):.0f}" for side in zip(*sides, strict=True))
            print(
                f"{path}, {name}: {medians}, "
                f"ratio {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
            )


def measure(target: Target, options) -> None:
    """Print the longest time to an answer before, while and after viewers stall."""
    before = worst(target, seconds=1)
    bodies = [target.send(STALLED_BODY) for _ in range(options.each)]
    heads = [target.send(STALLED_HEAD) for _ in range(options.each)]
    during = worst(target, seconds=options.seconds, trickling=heads)
    for connection in bodies + heads:
        connection.close()
    after = worst(target, seconds=1)
    for path in PATHS:
        times = " | ".join(shown(phase[path]) for phase in (before, during, after))
        missing = sum(one is None for phase in (before, during, after) for one in phase[path])
        print(f"| {target.name} | `{path}` | {times} | {missing} |")


def worst(target: Target, *, seconds: float, trickling=()) -> dict[str, list[float | None]]:
    """Fetch each path again and again; return the times, None for an answer that did not come."""
    times: dict[str, list[float | None]] = {path: [] for path in PATHS}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for path in PATHS:
            times[path].append(time_of(target, path))
        for connection in trickling:
            with suppress(OSError):  # the server has ended it
                connection.send(b"a")
        time.sleep(min(1, seconds / 20))
    return times


def time_of(target: Target, path: str) -> float | None:
    started = time.perf_counter()
    try:
        status = target.fetch(path, timeout=PATIENCE).status
    except OSError:
        return None
    return time.perf_counter() - started if status == OK else None


def shown(times: list[float | None]) -> str:
    answered = [one for one in times if one is not None]
    return f"{max(answered) * 1000:.0f} ms" if answered else "no answer"


if __name__ == "__main__":
    main()
