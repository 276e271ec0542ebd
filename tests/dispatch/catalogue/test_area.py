"""The service area: what is served, what it costs more, and importing it from a file."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from dispatch.catalogue.area import note_interest, surcharge_if_served
from dispatch.catalogue.importing import AreaFileRefused, Imported, import_area
from dispatch.errors import ValueRefused
from dispatch.models import AreaInterest, ServedZip

pytestmark = pytest.mark.django_db

FILE = b"zip,town,surcharge\n99709,Fairbanks,\n99714,Salcha,45.50\n"


@pytest.fixture(autouse=True)
def empty_area():
    ServedZip.objects.all().delete()


def area():
    return {row.zip_code: (row.town, row.surcharge_cents) for row in ServedZip.objects.all()}


def test_listed_zip_is_served_with_its_surcharge():
    import_area(FILE)
    assert surcharge_if_served("99714") == surcharge_if_served("99714-1234") == 4_550
    assert surcharge_if_served("99709-1234") == 0
    assert surcharge_if_served("99501") is None
    assert surcharge_if_served("") is None


def test_without_rows_everything_is_served():
    assert surcharge_if_served("10001") == 0


def test_interest_is_noted_once():
    note_interest("10001-1234", " Ann@Example.com ")
    note_interest("10001", "ann@example.com")
    found = AreaInterest.objects.get()
    assert (found.zip_code, found.email) == ("10001", "ann@example.com")


@pytest.mark.parametrize(
    ("zip_code", "email", "field"),
    [
        ("1000", "ann@example.com", "zip_code"),
        ("10001", "ann", "email"),
        ("10001", "", "email"),
        ("10001", "a\x00b@example.com", "email"),
        ("10001", f"{'a' * 300}@example.com", "email"),
    ],
)
def test_invalid_interest_is_refused_at_its_field(zip_code, email, field):
    with pytest.raises(ValueRefused) as refusal:
        note_interest(zip_code, email)
    assert refusal.value.field == field
    assert not AreaInterest.objects.exists()


def test_import_adds_updates_and_keeps():
    import_area(b"zip,town,surcharge\n99701,Fairbanks,10\n99709,Elsewhere,\n")
    done = import_area(FILE)
    assert done == Imported(added=1, changed=1, removed=0, unchanged=1)
    assert area() == {
        "99701": ("Fairbanks", 1_000),
        "99709": ("Fairbanks", 0),
        "99714": ("Salcha", 4_550),
    }


def test_import_replaces():
    import_area(b"zip,town,surcharge\n99701,Fairbanks,10\n99709,Fairbanks,0\n")
    done = import_area(FILE, replace=True)
    assert done == Imported(added=1, changed=0, removed=1, unchanged=1)
    assert set(area()) == {"99709", "99714"}


@pytest.mark.parametrize("replace", [False, True])
def test_dry_run_counts_the_same_and_changes_nothing(replace):
    import_area(b"zip,town,surcharge\n99701,Fairbanks,10\n99709,Elsewhere,\n")
    before = area()
    would = import_area(FILE, replace=replace, dry_run=True)
    assert area() == before
    assert import_area(FILE, replace=replace) == would


def test_file_as_excel_writes_it():
    import_area(b'\xef\xbb\xbfTown,ZIP,Surcharge\r\n"North Pole, AK",99705,"$1,000"\r\n,,\r\n')
    assert area() == {"99705": ("North Pole, AK", 100_000)}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "Line 1: expected the columns zip,town,surcharge"),
        (b"99709,Fairbanks,0\n", "Line 1: expected the columns"),
        (b"zip,town\n99709,Fairbanks\n", "Line 1: expected the columns"),
        (b"zip;town;surcharge\n99709;Fairbanks;0\n", "found 'zip;town;surcharge'"),
        (b"zip,town,surchage\n99709,Fairbanks,5\n", "found 'zip,town,surchage'"),
        (b"zip,town,surcharge\n", "lists no ZIP codes"),
        (FILE + b"9970,Fairbanks,0\n", "Line 4: Expected a ZIP code of five digits, found '9970'"),
        (FILE + b"99709-1234,Fairbanks,0\n", "Line 4: Expected five digits"),
        (FILE + b"99701,Fairbanks,ten\n", "Line 4: Expected an amount in dollars, found 'ten'"),
        (FILE + b"99701,Fairbanks,-5\n", "Line 4: Expected an amount"),
        (FILE + b"99701,Fairbanks,2000000\n", "Line 4: Expected a price between"),
        (FILE + b"99701,Fairbanks\n", "Line 4: Expected 3 cells"),
        (FILE + b"99701,Fairbanks,0,0\n", "Line 4: Expected 3 cells"),
        (FILE + b"99701," + b"x" * 81 + b",0\n", "Line 4: Expected a town"),
        (FILE + b'99701,"Fair\nbanks",0\n', "Line 5: Expected a town"),
        (FILE + b"99709,Fairbanks,5\n", "Line 4: The ZIP code 99709 is listed twice"),
        (FILE + b'99701,"Fairbanks,0\n', "expected CSV"),
        (FILE + b"99701,Fair\x00banks,0\n", "Line 4: "),
        (b"\xff\xfe\x00", "UTF-8"),
        (FILE + b"1,x,0\n" * 9, "More lines at fault: 4."),
    ],
)
def test_faulty_file_changes_nothing(content, expected):
    import_area(b"zip,town,surcharge\n99701,Fairbanks,10\n")
    with pytest.raises(AreaFileRefused) as refusal:
        import_area(content, replace=True)
    assert expected in str(refusal.value)
    assert refusal.value.hint
    assert area() == {"99701": ("Fairbanks", 1_000)}


def run(*arguments):
    out = StringIO()
    call_command("service_area", *arguments, stdout=out)
    return out.getvalue()


def test_command_imports_and_lists(tmp_path):
    file = tmp_path / "area.csv"
    file.write_bytes(FILE)
    assert "Would change the area: 2 ZIP codes added" in run("import", str(file), "--dry-run")
    assert not area()
    done = json.loads(run("import", str(file), "--replace", "--json"))
    assert done == {"added": 2, "changed": 0, "removed": 0, "unchanged": 0}
    assert "99714 Salcha $45.50" in " ".join(run("list").split())
    assert json.loads(run("list", "--json")) == [
        {"zip": "99709", "town": "Fairbanks", "surcharge_cents": 0},
        {"zip": "99714", "town": "Salcha", "surcharge_cents": 4_550},
    ]


def test_command_says_that_everything_is_served():
    assert "every ZIP code" in run("list")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["import"], "No file was named."),
        (["import", "/nowhere/area.csv"], "No such file or directory"),
        (["import", "/"], "Is a directory"),
    ],
)
def test_command_without_a_readable_file_is_refused(arguments, expected):
    with pytest.raises(CommandError, match=expected) as ended:
        run(*arguments)
    assert ended.value.returncode == 1
