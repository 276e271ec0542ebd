"""What is kept to search in, and what was typed."""

from types import SimpleNamespace

import pytest

from dispatch.search.query import MAX_WORDS, Query, parse_query
from dispatch.search.text import joined, normalized, text_of_job
from dispatch.search.words import mistakes, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1423 Soderblom Avenue, Fairbanks", "1423 soderblom avenue fairbanks"),
        ("  ZOË\tPeña-Ruíz ", "zoe pena ruiz"),
        ("Søren Łuk, Straße", "soren luk strasse"),
        ("İzmir", "izmir"),
        ("dana@example.com", "dana example com"),
        ("a_b%c", "a b c"),
        ("--- !", ""),
    ],
)
def test_text_is_words_in_lower_case_without_accents(text, words):
    assert normalized(text) == words


def test_each_word_is_kept_once_with_spaces_around():
    assert joined(["Dana Rivers", "", "dana"]) == " dana rivers "


def test_name_with_an_apostrophe_is_found_either_way():
    assert joined(["Sean O'Brien"]) == " sean o brien obrien "
    assert joined(["Sean O\u2019Brien"]) == " sean o brien obrien "


def test_job_is_kept_by_what_identifies_it():
    customer = SimpleNamespace(name="Mark Ames", phone="+19075550142", email="mark@example.com")
    job = SimpleNamespace(
        number=1042, former_id="OLD-7", contact_name="M. Ames", customer=customer,
        address_line="12 Elm Street", unit="B", town="Nome", zip_code="99762",
        contact_email="", details="a sofa", access_notes="gate 4711", hold_reason="waits",
    )  # fmt: skip
    assert text_of_job(job) == (
        " qdn1042 1042 old 7 m ames mark 19075550142 example com 12 elm street b nome 99762 "
    )


@pytest.mark.parametrize(
    ("typed", "ways"),
    [
        ("mark", [["mark"]]),
        ("Ames, Mark", [["ames", "mark"]]),
        ("12 elm b", [[" 12", "elm", " b "]]),
        ("QDN-1042", [[" qdn1042 "]]),
        ("qdn 1042", [[" qdn1042 "]]),
        ("#1042 mark", [[" qdn1042 ", "mark"]]),
        ("1042", [["1042"]]),
        ("+1 907 555 0142", [[" 1 ", "907", "555", "0142"], ["19075550142"]]),
        ("(907) 555-01", [["907", "555", " 01"], ["90755501"]]),
        ("mark 555-0142", [["mark", "555", "0142"]]),
        ("---", []),
    ],
)
def test_typed_words_become_patterns(typed, ways):
    found = [[choice for (choice,) in way] for way in parse_query(typed).ways]
    assert found == ways


def test_words_can_be_replaced():
    query = parse_query("mark chenna", {"chenna": ("chena", "cenna")})
    assert query.ways == ((("mark",), ("chena", "cenna")),)


def test_only_the_first_of_many_words_count():
    query = parse_query(" ".join(f"word{number}" for number in range(100)))
    assert len(query.ways[0]) == MAX_WORDS


def test_nothing_typed_finds_nothing():
    assert parse_query(" ") == Query(())


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [
        ("chena", "chena", 0),
        ("chenna", "chena", 1),
        ("chna", "chena", 1),
        ("chnea", "chena", 1),
        ("shena", "chena", 1),
        ("xhenx", "chena", 2),
        ("", "abc", 3),
        ("abc", "", 3),
    ],
)
def test_mistakes_are_counted(one, other, count):
    assert mistakes(one, other) == mistakes(other, one) == count


def test_words_to_learn_are_of_letters_and_not_short():
    assert words_of(["12th Elm Street", "O'Brien", "Zoë Peña"]) == {"street", "brien", "pena"}
