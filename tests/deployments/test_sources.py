import os

import pytest

from deployments.errors import Refused
from deployments.sources import read_folder
from tests.deployments.sites import write_site


def code_of(folder):
    with pytest.raises(Refused) as refused:
        read_folder(folder)
    return refused.value.code


def test_takes_every_file_with_its_headers(tmp_path):
    by_path = {f.artifact.path: f.artifact for f in read_folder(write_site(tmp_path))}
    page, asset = by_path["book/index.html"], by_path["assets/site.0123456789ab.css"]
    assert page.content_type == "text/html; charset=utf-8"
    assert page.cache_control == "public, max-age=0, must-revalidate, s-maxage=31536000"
    assert asset.cache_control == "public, max-age=31536000, immutable"
    assert page.size == (tmp_path / "book/index.html").stat().st_size


def test_leaves_what_desktops_and_version_control_leave_behind(tmp_path):
    write_site(tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("x")
    (tmp_path / "book" / ".DS_Store").write_text("x")
    (tmp_path / ".well-known").mkdir()
    (tmp_path / ".well-known" / "security.txt").write_text("x")
    paths = {f.artifact.path for f in read_folder(tmp_path)}
    assert ".well-known/security.txt" in paths
    assert not {path for path in paths if ".git" in path or "DS_Store" in path}


def test_refuses_a_missing_folder(tmp_path):
    assert code_of(tmp_path / "nowhere") == "source-missing"


def test_refuses_an_empty_folder(tmp_path):
    (tmp_path / "sub").mkdir()
    assert code_of(tmp_path) == "source-empty"


def test_refuses_what_it_cannot_read(tmp_path, monkeypatch):
    write_site(tmp_path)
    unreadable = tmp_path / "book"
    if os.geteuid() == 0:  # root reads everything; let the system refuse in its place
        real = os.scandir

        def scandir(path):
            if str(path) == str(unreadable):
                raise PermissionError(13, "Permission denied", str(path))
            return real(path)

        monkeypatch.setattr(os, "scandir", scandir)
    else:
        unreadable.chmod(0)
    assert code_of(tmp_path) == "source-unreadable"


@pytest.mark.parametrize("target", ["/etc/hostname", "/etc", "missing"])
def test_refuses_links_that_lead_elsewhere(tmp_path, target):
    write_site(tmp_path)
    (tmp_path / "link.html").symlink_to(target)
    assert code_of(tmp_path) == "source-not-a-file"


def test_refuses_a_pipe(tmp_path):
    write_site(tmp_path)
    os.mkfifo(tmp_path / "pipe.html")
    assert code_of(tmp_path) == "source-not-a-file"


@pytest.mark.parametrize("name", ["a\nb.html", "a\\b.html", b"\xff.html"])
def test_refuses_names_no_url_can_carry(tmp_path, name):
    write_site(tmp_path)
    with open(os.path.join(os.fsencode(tmp_path), os.fsencode(name)), "w") as file:
        file.write("x")
    assert code_of(tmp_path) == "source-name"
