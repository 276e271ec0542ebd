import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking.places import area_of, first_name_of


@pytest.mark.parametrize(
    ("line", "street"),
    [
        ("1423 Soderblom Avenue", "Soderblom Avenue"),
        ("1423B Soderblom Avenue", "Soderblom Avenue"),
        ("1423-25 Soderblom Avenue", "Soderblom Avenue"),
        ("12 1/2 Main St", "Main St"),
        ("900 42nd Street", "42nd Street"),
        ("42nd Street", "42nd Street"),
        ("77 2nd Ave N", "2nd Ave N"),
        ("1200 Highway 2", "Highway 2"),
        ("510 Gaffney Rd Apt 4", "Gaffney Rd"),
        ("510 Gaffney Rd, Apt 4", "Gaffney Rd"),
        ("Apt B, 510 Gaffney Rd", "Gaffney Rd"),
        ("510 Gaffney Rd #12", "Gaffney Rd"),
        ("510 Gaffney Rd # 12", "Gaffney Rd"),
        ("510 Gaffney Rd Unit 4-B", "Gaffney Rd"),
        ("510 Gaffney Rd Ste. 300", "Gaffney Rd"),
        ("510 Gaffney Rd, call 907-555-0142", "Gaffney Rd"),
        ("510 Gaffney Rd c/o Halvorsen", "Gaffney Rd"),
        ("510 Gaffney Rd mark@example.com", "Gaffney Rd"),
        ("Loose Moose Loop", "Loose Moose Loop"),
        ("Spaceway Lane", "Spaceway Lane"),
        ("1423", ""),
        ("\u0661\u0662 Main St", "Main St"),
    ],
)
def test_street_without_number_and_unit(line, street):
    assert area_of(line, "Fairbanks") == ", ".join(filter(None, [street, "Fairbanks"]))


@given(number=st.integers(1, 99_999), letter=st.sampled_from(["", "A", "b", "-2", "/3"]))
def test_house_number_is_removed(number, letter):
    assert area_of(f"{number}{letter} Chena Ridge Road", "Fairbanks") == (
        "Chena Ridge Road, Fairbanks"
    )


@given(st.text(max_size=120), st.text(max_size=80))
def test_only_street_names_have_digits(line, town):
    area = area_of(line, town)
    bare = re.sub(r"\b\d{1,3}(st|nd|rd|th)\b", "", area, flags=re.IGNORECASE)
    bare = re.sub(r"\b(highway|hwy|route|rte|interstate)\.? \d{1,3}", "", bare, flags=re.IGNORECASE)
    assert not any(character.isnumeric() for character in bare)
    assert "@" not in area


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("Mark Halvorsen", "Mark"),
        ("Mark", "Mark"),
        ("Halvorsen, Mark", "Mark"),
        ("Mr. Mark Halvorsen", "Mark"),
        ("Mark Halvorsen, Jr.", "Mark"),
        ("Mark Halvorsen, M.D.", "Mark"),
        ("Halvorsen Hauling, LLC", "Halvorsen"),
        ("Halvorsen, Mark, Jr.", "Mark"),
        ("Halvorsen, Jr., Mark", "Mark"),
        ("Halvorsen, Mr.", ""),
        ("Mr. Halvorsen", ""),
        ("Dr Ames", ""),
        ("Mary-Jo O'Neil", "Mary-Jo"),
        ("mark@example.com", ""),
        ("907-555-0142", ""),
        ("", ""),
        (",", ""),
    ],
)
def test_first_name(name, first):
    assert first_name_of(name) == first
