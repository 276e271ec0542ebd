"""Compares the answers to links that open no job: unknown, revoked and expired ones.

Run it as `.venv/bin/python -m bench.access` (`--tokens`, `--tries`, and `--database postgres://...`,
which it empties). Requests are answered in this process, those of the kinds in turns. It prints the
median times and their ratios, and fails if a body, status or header differs.

`--edge http://localhost:8000` measures something else: with the DATA_DIR of a running `bin/demo`,
how long after a link is revoked the edge shows its document.
"""

import argparse
import logging
import os
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import cycle, islice
from pathlib import Path
from statistics import median

from bench.bookings import prepare

LINKS = 50  # of each kind that has rows
WARM_UP = 50
# Requests of an address each, so that most tries are below the limit and are counted.
PER_ADDRESS = 20
# Processor time is the better figure on a busy machine; with SQLite it is all of the work.
CLOCKS = {"time": time.perf_counter, "processor time": time.process_time}

Spent = dict[str, dict[str, list[float]]]  # seconds by clock and kind


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tokens", type=int, default=10_000)
    parser.add_argument("--tries", type=int, default=1_000)
    parser.add_argument("--database", default="")
    parser.add_argument("--edge", default="")
    parser.add_argument("--times", type=int, default=20)
    options = parser.parse_args()
    if options.edge:
        return revoke_at_the_edge(options.edge, options.times)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        prepare(stack, folder, options.database)
        logging.disable(logging.WARNING)  # each 404 would be a line
        kinds = make_links()
        same = compare("wrong tokens, GET /t/<token>/", kinds, look, options.tokens)
        tried = compare("wrong digits, POST .../unlock/", kinds, enter, options.tries)
    return 0 if same and tried else 1


def make_links() -> dict[str, Iterator[str]]:
    """Make revoked and expired links, and active ones among them; return tokens by kind."""
    from secrets import token_urlsafe  # noqa: PLC0415

    from tests.builders import make_customer, make_job  # noqa: PLC0415
    from tests.tracking.builders import make_link  # noqa: PLC0415
    from tracking.links import revoke_link  # noqa: PLC0415

    customer = make_customer()
    kinds: dict[str, list[str]] = {"unknown": [], "lost": [], "ended": []}
    for _ in range(LINKS):
        make_link(job=make_job(customer=customer))
        kinds["unknown"].append(token_urlsafe(16))
        for reason in ("lost", "ended"):
            link = make_link(job=make_job(customer=customer), token=token_urlsafe(16))
            revoke_link(link=link, actor="bench", reason=reason)
            kinds[reason].append(link.token)
    return {kind: cycle(tokens) for kind, tokens in kinds.items()}


def look(client, token: str, number: int):
    return client.get(f"/t/{token}/")


def enter(client, token: str, number: int):
    place = number // PER_ADDRESS
    address = f"10.{place >> 16 & 255}.{place >> 8 & 255}.{place & 255}"
    digits = {"digits": f"{number % 10_000:04}"}
    return client.post(f"/t/{token}/unlock/", digits, REMOTE_ADDR=address)


def compare(name: str, kinds: dict[str, Iterator[str]], ask, number: int) -> bool:
    """Ask for tokens of all kinds in turns; print the medians. Whether all answers are the same."""
    from django.test import Client  # noqa: PLC0415

    client = Client(HTTP_HOST="localhost")
    answers = set()
    spent: Spent = {clock: {kind: [] for kind in kinds} for clock in CLOCKS}
    each = number // len(kinds) + WARM_UP
    for turn in range(each):
        # In another order each time, so that none always follows the same one.
        for kind in islice(cycle(kinds), turn % len(kinds), turn % len(kinds) + len(kinds)):
            token = next(kinds[kind])
            began = [clock() for clock in CLOCKS.values()]
            answer = ask(client, token, turn * len(kinds) + list(kinds).index(kind))
            for start, (clock_name, clock) in zip(began, CLOCKS.items(), strict=True):
                spent[clock_name][kind].append(clock() - start)
            answers.add((answer.status_code, answer.content, str(sorted(answer.headers.items()))))
    print(f"{name}: {(each - WARM_UP) * len(kinds):,} requests, {len(answers)} different answer(s)")
    for measured, by_kind in spent.items():
        medians = {kind: median(times[WARM_UP:]) * 1e3 for kind, times in by_kind.items()}
        ratio = max(medians.values()) / min(medians.values())
        shown = ", ".join(f"{kind} {value:.2f} ms" for kind, value in medians.items())
        print(f"  {measured}: {shown}; slowest to fastest {ratio:.3f}")
    print(f"  load {os.getloadavg()[0]:.1f}", flush=True)
    return len(answers) == 1


def revoke_at_the_edge(url: str, times: int) -> int:
    """Revoke links while the edge keeps their documents; print when it shows the last of them."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qdn.settings")
    import django  # noqa: PLC0415

    django.setup()
    from tracking.links import create_tracked_job, revoke_link  # noqa: PLC0415

    seconds = []
    for number in range(times):
        _, link = create_tracked_job(
            actor="bench",
            name="Ann",
            phone="907-555-0155",
            address=f"{number} Chena Ridge Road, Fairbanks, 99709",
        )
        assert link is not None
        page = f"{url}/track/{link.token}.json"
        while not is_shown(page):
            time.sleep(0.05)
        began = time.monotonic()
        revoke_link(link=link, actor="bench", reason="lost")
        while is_shown(page):
            time.sleep(0.05)
        seconds.append(time.monotonic() - began)
    print(f"{times} revocations: median {median(seconds):.2f} s, longest {max(seconds):.2f} s")
    return 0


def is_shown(page: str) -> bool:
    try:
        with urllib.request.urlopen(page):
            return True
    except urllib.error.HTTPError:
        return False


if __name__ == "__main__":
    raise SystemExit(main())
