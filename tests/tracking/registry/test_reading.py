"""The reader of registries: equal to json.load whatever is in the buffer, exact about faults."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking.registry import reading
from tracking.registry.reading import NotJson, read_entries


@pytest.fixture(params=[1, 3, 2**18], autouse=True)
def chunk(request, monkeypatch):
    monkeypatch.setattr(reading, "READ_AT_ONCE", request.param)


@pytest.fixture
def read(tmp_path):
    """Return a function that reads bytes: the entries, and the fault or None."""

    def read(content):
        path, found = tmp_path / "file.json", []
        path.write_bytes(content)
        try:
            found += ((one.line, one.id, one.row) for one in read_entries(path))
        except NotJson as fault:
            return [one[1:] for one in found], (fault.line, fault.found, fault.expected)
        return found, None

    return read


def test_entries_with_their_lines(read):
    content = b'\xef\xbb\xbf{\n"a": {"x": "1"},\n\n"b": {"x":\n"2"}, "c": null}\n'
    assert read(content) == ([(2, "a", {"x": "1"}), (4, "b", {"x": "2"}), (5, "c", None)], None)


def test_empty_object(read):
    assert read(b" {} \n") == ([], None)


@pytest.mark.parametrize(
    ("content", "taken", "fault"),
    [
        (b"", 0, (1, "the end of the file", "{")),
        (b"\n[1]", 0, (2, "[", "{")),
        (b'{"a": {}\n"b": {}}', 1, (2, '"', ", or }")),
        (b'{"a": {},\n}', 1, (2, "}", '"')),
        (b'{"a": {}}\nx', 1, (2, "x", "nothing more")),
        (b'{"a": {},\n"b": {"x": "y}\n}', 1, None),
        (b'{"a": {},\n"b": {"x', 1, None),
        (b'{"a": tru}', 0, None),
        (b'{"a": ' + b"[" * 100_000, 0, (1, "a row nested too deeply", "a row")),
    ],
)
def test_fault_has_its_line_and_keeps_the_rows_before(read, content, taken, fault):
    entries, found = read(content)
    assert len(entries) == taken
    assert found == fault if fault else found[2].startswith("JSON (")


def test_fault_shows_one_character_at_most(read):
    _, fault = read(b'{"a": {"token": secret}}')
    assert fault[1] == "s"


def test_bytes_that_are_not_utf8_and_nul_are_left_to_the_row(read):
    assert read(b'{"a": "\x00", "b": "\xff"}')[0] == [(1, "a", "\x00"), (1, "b", "\udcff")]


def test_long_numbers_cost_nothing(read):
    ((_, _, number),), _ = read(b'{"a": ' + b"9" * 5_000 + b"}")
    assert isinstance(number, reading.Number)


def test_missing_quotation_mark_does_not_read_the_whole_file(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "MOST_VALUE", 100)
    monkeypatch.setattr(reading, "READ_AT_ONCE", 50)
    path = tmp_path / "file.json"
    path.write_text('{"a": {"x": "' + "y" * 10_000)
    with pytest.raises(NotJson):
        list(read_entries(path))


ROWS = st.dictionaries(st.text(), st.dictionaries(st.text(), st.text()))


@given(rows=ROWS, indent=st.sampled_from([None, 0, 3]), is_ascii=st.booleans())
def test_reads_what_json_wrote(tmp_path_factory, rows, indent, is_ascii):
    path = tmp_path_factory.mktemp("json") / "file.json"
    text = json.dumps(rows, indent=indent, ensure_ascii=is_ascii)
    path.write_text(text, encoding="utf-8", errors="surrogatepass", newline="")
    if text.isascii() or not any("\ud800" <= one <= "\udfff" for one in text):
        assert {one.id: one.row for one in read_entries(path)} == rows
