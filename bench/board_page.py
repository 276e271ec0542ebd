"""Measures the script that the board runs for its first draw: 50 crews with 400 jobs.

Run `.venv/bin/python -m bench.board_page`. The page and its script are those of a release; the
board's document is made up and served from this process, so neither database nor network counts.
Chromium slows the processor down fourfold (DevTools). Each load has a fresh profile. The time of
scripts, of style and of layout are the browser's own sums (DevTools' Performance.getMetrics), from
the navigation until the frame after the last card, and again after a document in which one job has
changed. Exits with 1 if an aim is missed.
"""

import argparse
import json
import os
import sys
from statistics import median
from typing import Any

import django
from playwright.sync_api import Browser, CDPSession, Page, Route, sync_playwright

CHROMIUM = "/usr/bin/chromium"
CREWS, JOBS, SLOWDOWN = 50, 400, 4
AIM_MS = 300
URL = "http://board.test/dashboard/"
DAY = "2026-11-23"
DRAWN = f"""() => new Promise((resolve) => {{
  const look = () => document.querySelectorAll('.card').length === {JOBS}
    ? requestAnimationFrame(() => requestAnimationFrame(resolve)) : requestAnimationFrame(look);
  look();
}})"""
CHANGED = """() => new Promise((resolve) => {
  const look = () => document.querySelector('.card[data-id="1"] .alarm')
    ? requestAnimationFrame(() => requestAnimationFrame(resolve)) : requestAnimationFrame(look);
  look();
  Board.poll();
})"""
TIMES = {"script": "ScriptDuration", "style": "RecalcStyleDuration", "layout": "LayoutDuration"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    files = built()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        rounds = [measure(browser, files) for _ in range(options.rounds)]
        version = browser.version
        browser.close()
    print(f"Chromium {version}, {CREWS} crews, {JOBS} jobs, processor {SLOWDOWN} times slower")
    for name, title in (("first", "First draw"), ("again", "One job changed")):
        parts = {part: [one[name][part] for one in rounds] for part in TIMES}
        shown = ", ".join(f"{part} {median(times):.0f} ms" for part, times in parts.items())
        scripts = parts["script"]
        print(f"{title}: {shown} (script {min(scripts):.0f} to {max(scripts):.0f} ms)")
    return 1 if median(one["first"]["script"] for one in rounds) > AIM_MS else 0


def measure(browser: Browser, files: dict[str, bytes]) -> dict[str, dict[str, float]]:
    """Load the board in a fresh profile; return the times of both draws, in milliseconds."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    documents = iter([document(late=False), document(late=True)])
    page.route("**/*", lambda route: serve(route, files, documents))
    devtools = context.new_cdp_session(page)
    devtools.send("Performance.enable")
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
    page.goto(URL, wait_until="commit")
    first = since(devtools, page, DRAWN)
    again = since(devtools, page, CHANGED)
    context.close()
    return {"first": first, "again": {part: again[part] - first[part] for part in TIMES}}


def since(devtools: CDPSession, page: Page, until: str) -> dict[str, float]:
    """Wait, then return the browser's sums, in milliseconds."""
    page.evaluate(until)
    found = devtools.send("Performance.getMetrics")["metrics"]
    metrics = {one["name"]: one["value"] for one in found}
    return {part: metrics[name] * 1000 for part, name in TIMES.items()}


def serve(route: Route, files: dict[str, bytes], documents: Any) -> None:
    path = route.request.url.removeprefix("http://board.test")
    if path == "/api/board":
        return route.fulfill(body=next(documents), content_type="application/json")
    kind = "text/html; charset=utf-8" if path.endswith("/") else "text/javascript"
    return route.fulfill(body=files[path], content_type=kind)


def built() -> dict[str, bytes]:
    """Build the page and its script as a release has them, by path."""
    os.environ |= {"DJANGO_SETTINGS_MODULE": "qdn.settings", "DEBUG": "true"}
    django.setup()
    from django.conf import settings  # noqa: PLC0415 - the settings exist from here on

    from deployments.releases.build import collected_assets, render_surface  # noqa: PLC0415

    with collected_assets() as assets:
        page = render_surface(settings.SURFACES["dashboard"], assets)
        found = [(one.artifact.path, one.body) for one in assets.files()]
    files = {f"/{path}": body for path, body in found if isinstance(body, bytes)}
    return {**files, "/dashboard/": page}


def document(*, late: bool) -> bytes:
    """Return a day of JOBS jobs, as many for each crew; the first may be late."""
    cards = {str(job): card(job, late=late and job == 1) for job in range(1, JOBS + 1)}
    runs = [
        {"code": f"crew-{crew}", "title": f"Crew {crew}", "crew": crew, "run_revision": 1,
         "units": 32, "sheet": f"/admin/run-sheet/{crew}/{DAY}/", "link": None,
         "jobs": [job for job in range(1, JOBS + 1) if job % CREWS == crew - 1]}
        for crew in range(1, CREWS + 1)
    ]  # fmt: skip
    codes = ("unassigned", "out", "done")
    plain: list[dict[str, Any]] = [{"code": code, "title": code, "jobs": []} for code in codes]
    needs = {"code": "needs", "title": "Needs you", "needs": []}
    load = {"jobs": JOBS, "units": 1600, "room": 1800}
    week = [{"day": f"2026-11-{day}", **load} for day in range(23, 30)]
    return json.dumps(
        {"v": 2, "day": DAY, "today": DAY, "actor": "dana", "may_change": True, "week": week,
         "columns": [needs, plain[0], *runs, *plain[1:]], "cards": cards}
    ).encode()  # fmt: skip


def card(job: int, *, late: bool) -> dict[str, Any]:
    return {
        "id": job, "number": f"QDN-{1000 + job}", "revision": 2 + late, "status": "scheduled",
        "status_label": "Scheduled", "name": f"Customer {job}", "phone": "+19075550142",
        "phone_text": "(907) 555-0142", "email": "", "street": f"{job} Chena Ridge Road",
        "town": "Fairbanks", "zip": "99709", "service": "Junk removal", "size": "Half a truck",
        "units": 4, "price": "$340 all-in", "outside_windows": False, "crew": job % CREWS + 1,
        "window": {"start": f"{DAY}T09:00:00-09:00", "end": f"{DAY}T11:00:00-09:00"},
        "late": late, "late_by": 30 * late, "arrived": None, "on_hold": False, "hold_reason": "",
        "days_out": None, "due_on": None, "due_back": False, "back": None, "may_cancel": True,
        "next": [
            {"to": "en_route", "label": "On the way"}, {"to": "completed", "label": "Complete"}
        ],
        "url": f"/admin/dispatch/job/{job}/change/",
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
