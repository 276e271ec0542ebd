"""Builds in the admin and at the shell."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from builds.models import Build
from deployments.locks.lease import this_process
from tests.builds.origin import COPY


@pytest.fixture
def built(pusher, origin):
    return pusher.push(origin.commit(command=f"echo '<b>bold</b>'; {COPY}"))


def part(client, build, **query):
    return client.get(reverse("admin:builds_build_log", args=[build.pk]), query)


def test_page_shows_the_log(admin_client, built):
    page = admin_client.get(reverse("admin:builds_build_change", args=[built.pk]))
    text = page.content.decode()
    assert "&lt;b&gt;bold&lt;/b&gt;" in text
    assert 'data-ended="yes"' in text
    assert f">Release {built.release}<" in text
    assert built.commit[:10] in admin_client.get("/admin/builds/build/").content.decode()


def test_part_has_only_what_the_page_lacks(admin_client, built):
    pieces = built.lines.count()
    answer = part(admin_client, built, known=pieces - 1)
    assert answer.content.decode().count("<li") == 1
    assert "no-store" in answer["Cache-Control"]
    for odd in ("x", "-1", "", "9" * 30, "²"):
        assert part(admin_client, built, known=odd).content.decode().count("<li") == pieces


def test_running_build_is_followed_until_it_ends(admin_client, built):
    running = {"state": "building", "ended_at": None, "alive_at": None}
    Build.objects.filter(pk=built.pk).update(**running, **this_process())
    assert 'data-ended=""' in part(admin_client, built).content.decode()
    Build.objects.filter(pk=built.pk).update(pid=2**22 + 1)
    text = part(admin_client, built).content.decode()
    assert 'data-ended="yes"' in text
    assert "Interrupted" in text


def test_commands_list_and_print(built):
    def printed(*arguments):
        out = StringIO()
        call_command("builds", *arguments, stdout=out)
        return out.getvalue()

    (row,) = json.loads(printed("--json"))
    assert (row["build"], row["state"]) == (built.pk, "deployed")
    assert built.commit[:10] in printed()
    assert "<b>bold</b>" in printed("--log", str(built.pk))
    assert json.loads(printed("--json", "--log", str(built.pk)))["log"] == built.log


def test_unknown_build(db):
    with pytest.raises(CommandError, match="No build has the number 999"):
        call_command("builds", "--log", "999")


def test_build_command(pusher, origin, staging):
    commit, out = origin.commit(), StringIO()
    options = {"repository": str(origin.bare), "branch": "main", "commit": commit}
    call_command("build", **options, stdout=out)
    assert f"Build {pusher.last.pk} took" in out.getvalue()
    assert staging.live.release.commit == commit
    with pytest.raises(CommandError) as refused:
        call_command("build", **{**options, "commit": "1" * 40}, stdout=out)
    assert refused.value.returncode == 1


def test_init_command(tmp_path):
    out = StringIO()
    options = {"command": "true", "output": ".", "git": tmp_path / "site.git"}
    call_command("init", str(tmp_path), **options, stdout=out)
    assert "git push qdn main" in out.getvalue()
    assert (tmp_path / "site.git/hooks/update").exists()
