"""How figures are written for people, and drawn: text and the bars of a small chart."""

from collections.abc import Sequence
from datetime import UTC, tzinfo

from deployments.metrics import Figure, Span

CHART_WIDTH, CHART_HEIGHT = 300, 56
# A bar of one pixel still shows that something was counted.
LEAST_BAR = 1.0
UNITS = ("B", "kB", "MB", "GB", "TB")
THOUSAND = 1000
MINUTE, HOUR, DAY = 60, 3600, 86400


def show(value: float | None, unit: str) -> str:
    """Write a value: `1,204`, `3.4 MB`, `0.52 %`, or `no data`."""
    if value is None:
        return "no data"
    if unit == "percent":
        return f"{value:.2f} %"
    if unit == "bytes":
        return _bytes(value)
    return f"{value:,.0f}"


def show_total(figure: Figure) -> str:
    """Write what a figure comes to. CloudWatch keeps no zeros: what never happened is not told."""
    if figure.total is None and figure.column.unit == "count":
        return "none"
    return show(figure.total, figure.column.unit)


def show_peak(figure: Figure, span: Span, zone: tzinfo = UTC) -> str:
    """Write the highest value of a figure and when it was; nothing without any."""
    if figure.peak is None or not figure.peak[1]:
        return ""
    slot, value = figure.peak
    when = f"{span.moment(slot).astimezone(zone):%d %b %H:%M %Z}"
    return f"highest {show(value, figure.column.unit)} in {show_period(span.period)} from {when}"


def show_period(seconds: int) -> str:
    """Write a period: `1 minute`, `2 hours`, `1 day`."""
    for size, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {name}{'' if count == 1 else 's'}"
    return f"{seconds} seconds"


def bars(values: Sequence[float | None]) -> str:
    """Draw values as the bars of an SVG path in CHART_WIDTH by CHART_HEIGHT; gaps stay empty."""
    top = max((value for value in values if value is not None), default=0)
    if not top:
        return ""
    step = CHART_WIDTH / len(values)
    width = max(step * 0.8, LEAST_BAR)
    return "".join(
        f"M{slot * step:.1f} {CHART_HEIGHT}v{-_height(value / top):.1f}h{width:.1f}V{CHART_HEIGHT}z"
        for slot, value in enumerate(values)
        if value
    )


def _height(share: float) -> float:
    return max(share * CHART_HEIGHT, LEAST_BAR)


def _bytes(value: float) -> str:
    for unit in UNITS[:-1]:
        if value < THOUSAND:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= THOUSAND
    return f"{value:.1f} {UNITS[-1]}"
