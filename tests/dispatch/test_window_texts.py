"""Service windows as people type them."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from dispatch.errors import ValueRefused
from dispatch.windows.parsing import parse_window

ZONE = ZoneInfo("America/Denver")


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-11-23 9-11", "09:00", "11:00"),
        (" 2026-11-23  9:30 - 11 ", "09:30", "11:00"),
        ("2026-11-23 1pm-3pm", "13:00", "15:00"),
        ("2026-11-23 13-15", "13:00", "15:00"),
        ("2026-11-23 1-3 PM", "13:00", "15:00"),
        ("2026-11-23 11-1pm", "11:00", "13:00"),
        ("2026-11-23 9am to 12pm", "09:00", "12:00"),
        ("2026-11-23 12am\N{EN DASH}1:15am", "00:00", "01:15"),
        ("2026-11-01 1am-3am", "01:00", "03:00"),  # the clock goes back: three hours
    ],
)
def test_window_is_read(text, start, end):
    day = text.split()[0]
    assert parse_window(text) == tuple(
        datetime.fromisoformat(f"{day}T{at}").replace(tzinfo=ZONE) for at in (start, end)
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "9-11",
        "2026-11-23",
        "2026-11-23 9",
        "2026-11-23 11-9",
        "2026-11-23 9-9",
        "2026-11-23 1-3",  # night or afternoon?
        "2026-11-23 9-25",
        "2026-11-23 9:75-11",
        "2026-11-23 0pm-3pm",
        "2026-11-23 13pm-3pm",
        "2026-02-30 9-11",
        "2026-03-08 2:30am-4am",  # skipped: the clock goes forward
        "2026-11-23 9-11 x",
        "9999-12-31 10pm-11pm",
        "2026-11-2\N{ARABIC-INDIC DIGIT THREE} 9-11",
    ],
)
def test_other_text_is_refused_at_the_window(text):
    with pytest.raises(ValueRefused) as refusal:
        parse_window(text)
    assert refusal.value.field == "window_start"
    assert "2026-11-23 9-11" in refusal.value.hint
