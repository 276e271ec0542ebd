"""import_jobs and export_jobs: output, reports, exit codes."""

import csv
import json
import stat
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from dispatch.models import Job
from dispatch.numbers import last_number
from edge.backends import get_backend
from tests.tracking.builders import make_link
from tests.tracking.registry.builders import former, write
from tracking.errors import MapRefused
from tracking.models import TrackingLink
from tracking.numbers import MARGIN
from tracking.registry.mapping import load_tables, plain

pytestmark = pytest.mark.django_db


def run(*words, code=0):
    """Run a command that must end with a code; return its output and errors."""
    out, err, ended = StringIO(), StringIO(), 0
    try:
        call_command(*map(str, words), stdout=out, stderr=err)
    except CommandError as error:
        ended = error.returncode
        err.write(f"{error}\n")
    assert ended == code, err.getvalue()
    return out.getvalue(), err.getvalue()


def test_import_prints_counts(tmp_path):
    path = write(tmp_path, {"QDN-1042": former()})
    out, err = run("import_jobs", path)
    assert out.startswith("1 rows read, 1 created, 0 changed, 0 unchanged, 0 refused in ")
    assert err == ""
    assert not (tmp_path / "former.json.refused.csv").exists()


def test_refused_rows_are_on_stderr_in_json_and_csv(tmp_path):
    path = write(tmp_path, {"a": former(), "=b": former(token="b", price="+lots")})
    out, err = run("import_jobs", path, "--json", code=4)
    result = json.loads(out)
    assert list(result) == ["read", "created", "changed", "unchanged", "refused", "seconds"]
    (refusal,) = result["refused"]
    assert refusal == {
        "line": 10, "id": "=b", "field": "price", "found": "+lots",
        "expected": 'a price like "600 all-in", "250 estimate" or "400 to 600"',
    }  # fmt: skip
    assert "Line 10, =b: price is +lots; expected a price" in err
    assert f"then run: manage.py import_jobs --json {path}" in err
    report = tmp_path / "former.json.refused.csv"
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    (row,) = csv.DictReader(StringIO(report.read_text()))
    assert row == {**{k: str(v) for k, v in refusal.items()}, "id": "'=b", "found": "'+lots"}
    write(tmp_path, {"a": former()})
    run("import_jobs", path)
    assert not report.exists()


def test_nothing_taken_is_a_refusal(tmp_path):
    path = write(tmp_path, {"a": former(price="lots")})
    run("import_jobs", path, code=1)
    assert (
        "The rest of the file was not read" in run("import_jobs", write(tmp_path, "{"), code=1)[1]
    )


def test_dry_run_takes_nothing(tmp_path):
    path = write(tmp_path, {"a": former(), "b": former(price="lots", token="b")})
    out, _ = run("import_jobs", path, "--dry-run", code=1)
    assert "Would be: 2 rows read, 1 created" in out
    assert not Job.objects.exists()


def test_tokens_that_open_nothing_are_reported(tmp_path):
    _, err = run("import_jobs", write(tmp_path, {"QDN-1042": former(token="a/s3cret")}))
    assert "no link can carry: 1, of QDN-1042" in err
    assert "s3cret" not in err


@pytest.mark.parametrize("words", [(), ("x.json", "--registry")])
def test_one_source_is_named(words):
    with pytest.raises(CommandError, match=r"required|not allowed"):
        call_command("import_jobs", *words)


def test_files_that_cannot_be_read_or_written(tmp_path):
    path = write(tmp_path, {"a": former()})
    assert "cannot be read" in run("import_jobs", tmp_path / "none.json", code=1)[1]
    report = tmp_path / "none/report.csv"
    assert "--csv" in run("import_jobs", path, f"--csv={report}", code=1)[1]
    assert "cannot be read" in run("import_jobs", path, f"--map={tmp_path}/none", code=1)[1]
    assert "cannot be written" in run("export_jobs", tmp_path / "none/x.json", code=1)[1]
    assert not Job.objects.exists()


def test_map_adds_statuses_and_services(tmp_path):
    table = tmp_path / "map.toml"
    table.write_text(
        '[statuses]\n"Picked-Up!" = "cancelled customer"\n[services]\n"" = "cleanout"\n'
    )
    path = write(tmp_path, {"a": former(status="picked up", service=None)})
    run("import_jobs", path, f"--map={table}")
    job = Job.objects.get()
    assert (job.status, job.cancel_side, job.service.code) == ("cancelled", "customer", "cleanout")
    table = tmp_path / "map.json"
    table.write_text('{"statuses": {"x": "done"}}')
    with pytest.raises(MapRefused, match="Use one of: requested, scheduled"):
        load_tables(table)


@pytest.mark.parametrize(
    "text", ["[", "x = 1", '[statuses]\nx = 1', '[state]\nx = "y"', '[services]\nx = "sofa"']
)  # fmt: skip
def test_map_with_a_fault_is_refused(tmp_path, text):
    path = tmp_path / "map.toml"
    path.write_text(text)
    with pytest.raises(MapRefused):
        load_tables(path)


def test_spellings_are_the_same():
    assert plain("  On-the_WAY ") == plain("on the way")
    tables = load_tables()
    assert tables.status("Crew on the way") == tables.status("EN_ROUTE") == ("en_route", "")
    assert tables.service("10-Yard Dumpster").code == "dumpster-10"


def test_export_to_a_file_is_private_and_says_what_it_holds(tmp_path):
    make_link(token="a b")
    path = tmp_path / "out.json"
    path.write_text("former")
    out, err = run("export_jobs", path, "--json")
    assert json.loads(out) == {"jobs": 1, "without_token": 0}
    assert "Tokens in the clear: 1." in err
    assert "a b" not in out + err
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (row,) = json.loads(path.read_text()).values()
    assert row["token"] == "a b"


def test_export_to_standard_output():
    make_link(token="a b")
    out, err = run("export_jobs")
    assert len(json.loads(out)) == 1
    assert "Tokens in the clear" in err
    assert "name a FILE" in run("export_jobs", "--json", code=2)[1]


def test_registry_is_written_and_read_back():
    link = make_link(token="a b")
    out, _ = run("publish_tracking", "--registry", "--json")
    assert json.loads(out)["registry"] == 1
    assert "1 in the registry" in run("publish_tracking", "--registry", "--dry-run")[0]
    TrackingLink.objects.all().delete()
    Job.objects.filter(pk=link.job_id).update(number=5, former_id="gone")
    out, _ = run("import_jobs", "--registry", "--json")
    assert json.loads(out)["created"] == 1
    assert Job.objects.filter(number=link.job.number, tracking_links__token="").exists()


def test_numbers_continue_above_those_of_ended_jobs():
    """The registry has active links only, but the store knows the last number."""
    ended = make_link(revoked=True).job.number + 100
    objects = get_backend().objects
    body = json.dumps({"number": ended}).encode()
    objects.put("registry/last-number.json", body, content_type="", cache_control="")
    run("publish_tracking", "--registry")
    for _ in range(2):
        run("import_jobs", "--registry")
        assert last_number() == ended + MARGIN


def test_store_without_a_registry():
    assert "has no registry/jobs.json" in run("import_jobs", "--registry", code=1)[1]
