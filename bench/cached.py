"""Looks for old answers in a cache of others in front of the edge, across switches.

Run it as `.venv/bin/python -m bench.cached` (`--switches`). nginx keeps what the answers allow it
to (proxy_cache). All pages are loaded through it, the release is switched, and as soon as the edge
has switched they are loaded again; an answer of the old release is a fault. At the end a page is
asked for before the release that has it: a 404 that lasts is a fault too. Exits with 1 if there was
a fault.
"""

import argparse
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from io import StringIO
from pathlib import Path

from django.core.management import call_command

from bench.builds import OURS
from bench.places import set_up
from bench.readers import Operator
from edge.serving.snapshot import REFRESH_SECONDS
from tests.server.nginx import cache
from tests.server.servers import fetch, gunicorn, wait_until

OK = 200


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--switches", type=int, default=50)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        set_up(stack, folder, "local")
        Operator(folder)
        edge = stack.enter_context(gunicorn(os.environ, "--log-level=error")).port
        cached = stack.enter_context(cache(folder, edge))
        old = sum(old_answers(edge, cached, number) for number in range(options.switches))
        found = finds_new_page(folder, cached)
    answers = options.switches * len(OURS.pages)
    print(f"{options.switches} switches, {answers} answers of the cache: {old} of an old release")
    print(f"a page asked for before it existed: {'found' if found else 'still 404'}")
    return 1 if old or not found else 0


def old_answers(edge: int, cached: int, number: int) -> int:
    """Switch, and count the pages that the cache still has of the release before."""
    before = live()
    for path in OURS.pages:
        release_at(cached, path)
    if number % 2:
        run("rollback", yes=True)
        # For the next promotion, lift the guard on the release that was left.
        run("unfreeze", release=before, yes=True)
    else:
        run("promote", yes=True)
    # Each worker looks for a switch four times a second.
    time.sleep(2 * REFRESH_SECONDS)
    wait_until(lambda: release_at(edge, "/") == live(), "the switch")
    return sum(release_at(cached, path) == before for path in OURS.pages)


def live() -> str:
    """Return the release that the history says is live."""
    from deployments.models import Environment  # noqa: PLC0415

    return str(Environment.objects.named("production").live.release)


def finds_new_page(folder: Path, cached: int) -> bool:
    """Whether the cache finds a page that it was asked for before the page was released."""
    assert fetch(cached, "/late/").status != OK
    site = OURS.write("C", folder / "C")
    (site / "late").mkdir()
    (site / "late" / "index.html").write_text("<!doctype html><title>Late</title>")
    run("push", source=site)
    run("promote", yes=True)
    try:
        wait_until(lambda: fetch(cached, "/late/").status == OK, "the new page")
    except AssertionError:
        return False
    return True


def release_at(port: int, path: str) -> str:
    return str(fetch(port, path).headers["X-Amz-Meta-Release"])


def run(command: str, **options) -> None:
    call_command(command, stdout=StringIO(), **options)


if __name__ == "__main__":
    sys.exit(main())
