"""Draws a chart of figures that bench/push.py saved.

Run it as `.venv/bin/python bench/chart.py figures.json chart.svg`.
"""

import json
import sys
from html import escape
from pathlib import Path
from statistics import median

ROW, LEFT, WIDTH, RIGHT = 22, 360, 560, 70
OURS, PEER, IN_PLACE = "#b8410f", "#5b6472", "#b9c0ca"
STYLE = "font: 13px system-ui, sans-serif; fill: #1d2330"


def main(figures: str, chart: str) -> None:
    saved = json.loads(Path(figures).read_text())
    title = list(saved)[-1]
    rows = [
        (tuple(name.split("|")), median(seconds for seconds, _, _ in runs))
        for name, runs in saved[title].items()
    ]
    Path(chart).write_text(draw(f"Seconds, {title}", rows))


def draw(title: str, rows: list[tuple[tuple[str, str], float]]) -> str:
    """Return an SVG with one bar for each row: tool, case and seconds."""
    longest = max(seconds for _, seconds in rows)
    bars = [
        bar(ROW * (number + 2), tool, case, seconds, seconds / longest)
        for number, ((tool, case), seconds) in enumerate(rows)
    ]
    height, width = ROW * (len(rows) + 2), LEFT + WIDTH + RIGHT
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="12" y="{ROW}" style="{STYLE}; font-weight: 600">{escape(title)}</text>',
        *bars,
        "</svg>",
        "",
    ])  # fmt: skip


def bar(top: int, tool: str, case: str, seconds: float, share: float) -> str:
    color = OURS if tool == "push" else IN_PLACE if "in place" in case else PEER
    length, middle = round(max(WIDTH * share, 1)), top + 12
    label = escape(f"{tool}: {case}")
    return (
        f'<text x="{LEFT - 8}" y="{middle}" text-anchor="end" style="{STYLE}">{label}</text>'
        f'<rect x="{LEFT}" y="{top}" width="{length}" height="{ROW - 7}" fill="{color}"/>'
        f'<text x="{LEFT + length + 6}" y="{middle}" style="{STYLE}">{seconds:.1f}</text>'
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
