import mimetypes
import os
from pathlib import Path
from shutil import make_archive

import pytest

from deployments.errors import Refused
from deployments.releases.manifest import ASSET_CACHE, content_type_for
from deployments.sources import limits as source_rules
from deployments.sources.limits import check_name
from deployments.sources.source import opened_source
from edge.backends.local.objects import FolderStore
from edge.errors import KeyRefused
from tests.deployments.sites import files_of, write_site


def code_of(folder):
    with pytest.raises(Refused) as refused:
        files_of(folder)
    return refused.value.code


def test_reads_every_file_with_its_headers(tmp_path):
    by_path = {f.artifact.path: f.artifact for f in files_of(write_site(tmp_path))}
    page, asset = by_path["book/index.html"], by_path["assets/site.0123456789ab.css"]
    assert page.content_type == "text/html; charset=utf-8"
    assert page.cache_control == "public, max-age=0, must-revalidate"
    assert asset.cache_control == "public, max-age=31536000, immutable"
    assert page.size == (tmp_path / "book/index.html").stat().st_size


def test_ignores_files_of_desktops_and_version_control(tmp_path):
    write_site(tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("x")
    (tmp_path / "book" / ".DS_Store").write_text("x")
    (tmp_path / ".well-known").mkdir()
    (tmp_path / ".well-known" / "security.txt").write_text("x")
    paths = {f.artifact.path for f in files_of(tmp_path)}
    assert ".well-known/security.txt" in paths
    assert not {path for path in paths if ".git" in path or "DS_Store" in path}


def test_ignores_them_as_files_folders_or_links(tmp_path):
    """In a git work tree `.git` is a file, with a path on the developer's machine."""
    write_site(tmp_path)
    (tmp_path / "book/.git").write_text("gitdir: /home/olga/site")
    (tmp_path / "node_modules").symlink_to("/etc")
    assert {f.artifact.path.rpartition("/")[2] for f in files_of(tmp_path)} == {
        "index.html",
        "404.html",
        "site.0123456789ab.css",
    }


def test_a_link_within_the_folder_is_followed(tmp_path):
    write_site(tmp_path)
    (tmp_path / "start.html").symlink_to("index.html")
    by_path = {f.artifact.path: f.artifact for f in files_of(tmp_path)}
    assert by_path["start.html"].sha256 == by_path["index.html"].sha256


def test_headers_apply_and_are_not_part_of_the_release(tmp_path):
    write_site(tmp_path)
    (tmp_path / "_headers").write_text("/book/\n Cache-Control: no-store\n")
    (tmp_path / "more").mkdir()
    (tmp_path / "more/_headers").write_text("an ordinary file")
    by_path = {f.artifact.path: f.artifact for f in files_of(tmp_path)}
    assert by_path["book/index.html"].cache_control == "no-store"
    assert by_path["assets/site.0123456789ab.css"].cache_control == ASSET_CACHE
    assert "_headers" not in by_path
    assert "more/_headers" in by_path


def test_checks_are_part_of_the_release(tmp_path):
    (write_site(tmp_path) / "checks.json").write_text('[{"path": "/"}]')
    assert "checks.json" in {f.artifact.path for f in files_of(tmp_path)}


@pytest.mark.parametrize("ending", ["HTML", "js", "json", "png", "avif", "woff2", "ttf", "ics"])
def test_types_do_not_depend_on_the_machine(ending, monkeypatch):
    # The module's function reads /etc/mime.types.
    monkeypatch.setattr(mimetypes, "guess_type", lambda *args, **kwargs: ("of/this-machine", None))
    found = content_type_for(f"a.{ending}")
    assert found not in {"of/this-machine", "application/octet-stream"}


def test_refuses_wrong_checks(tmp_path):
    (write_site(tmp_path) / "checks.json").write_text('[{"url": "/"}]')
    assert code_of(tmp_path) == "checks-invalid"


def test_refuses_wrong_headers(tmp_path):
    (write_site(tmp_path) / "_headers").write_text("/*\n Set-Cookie: a=b\n")
    assert code_of(tmp_path) == "headers-invalid"


def test_refuses_a_folder_with_only_headers(tmp_path):
    (tmp_path / "_headers").write_text("")
    assert code_of(tmp_path) == "source-empty"


def test_refuses_more_files_than_a_release_has(tmp_path, monkeypatch):
    monkeypatch.setattr(source_rules, "FILES_AT_MOST", 6)
    write_site(tmp_path)
    assert len(files_of(tmp_path)) == 6
    (tmp_path / "more.txt").write_text("x")
    assert code_of(tmp_path) == "source-too-many"


def test_refuses_more_than_two_gibibytes_before_reading_them(tmp_path):
    write_site(tmp_path)
    with (tmp_path / "large.bin").open("wb") as file:
        file.truncate(2**31 + 1)
    assert code_of(tmp_path) == "source-too-large"


def test_refuses_a_missing_folder(tmp_path):
    assert code_of(tmp_path / "nowhere") == "source-missing"
    with pytest.raises(Refused, match="neither a folder nor a ZIP archive"):
        opened_source(tmp_path / "nowhere").__enter__()


def test_refuses_an_empty_folder(tmp_path):
    (tmp_path / "sub").mkdir()
    assert code_of(tmp_path) == "source-empty"


def test_refuses_an_unreadable_folder(tmp_path, monkeypatch):
    write_site(tmp_path)
    unreadable = tmp_path / "book"
    if os.geteuid() == 0:  # root reads everything, so simulate the refusal
        real = os.scandir

        def scandir(path):
            if str(path) == str(unreadable):
                raise PermissionError(13, "Permission denied", str(path))
            return real(path)

        monkeypatch.setattr(os, "scandir", scandir)
    else:
        unreadable.chmod(0)
    assert code_of(tmp_path) == "source-unreadable"


def test_refuses_a_path_the_system_rejects(tmp_path):
    with pytest.raises(Refused) as refused, opened_source(tmp_path / ("x" * 300)):
        pass
    assert refused.value.code == code_of(tmp_path / ("x" * 300)) == "source-unreadable"
    assert "too long" in refused.value.message


@pytest.mark.parametrize("target", ["/etc/hostname", "/etc", "missing"])
def test_refuses_links_that_lead_elsewhere(tmp_path, target):
    write_site(tmp_path)
    (tmp_path / "link.html").symlink_to(target)
    assert code_of(tmp_path) == "source-not-a-file"


def test_refuses_a_pipe(tmp_path):
    write_site(tmp_path)
    os.mkfifo(tmp_path / "pipe.html")
    assert code_of(tmp_path) == "source-not-a-file"


@pytest.mark.parametrize(
    "name", ["a\nb.html", "a\\b.html", b"\xff.html", "/".join(["a" * 200] * 5)]
)
def test_refuses_names_no_url_can_carry(tmp_path, name):
    write_site(tmp_path)
    path = os.path.join(os.fsencode(tmp_path), os.fsencode(name))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write("x")
    assert code_of(tmp_path) == "source-name"


PRIVATE = [
    ".env",
    ".env.production",
    "book/.htpasswd",
    ".vscode/settings.json",
    ".well-known/.env",
    "docs/.well-known/security.txt",
    ".well-known",
    "keys/id_rsa",
    "keys/ID_ED25519",
    "server.pem",
    "server.KEY",
    "prod.env",
]
RESERVED = ["a?b.html", "a#b.html", "100%.html", "%D7%A9/index.html", "what?/index.html"]


@pytest.fixture(params=["folder", "archive", "archive of a folder"])
def refusal(request, tmp_path):
    """Return a function that refuses a site with one more file, pushed as a folder or ZIP."""

    def refuse(name):
        folder = write_site(tmp_path / "top")
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
        if request.param != "folder":
            root, base = (folder, ".") if request.param == "archive" else (tmp_path, "top")
            folder = make_archive(str(tmp_path / "site"), "zip", root, base)
        with pytest.raises(Refused) as refused:
            files_of(Path(folder))
        return refused.value

    return refuse


@pytest.mark.parametrize("name", PRIVATE)
def test_refuses_files_that_should_not_be_public(refusal, name):
    refused = refusal(name)
    assert refused.code == "source-private"
    assert refused.message.startswith(f"{name} is ")
    assert refused.hint.startswith("Remove it from the source.")


@pytest.mark.parametrize("name", RESERVED)
def test_refuses_names_no_link_can_name(refusal, name):
    refused = refusal(name)
    assert refused.code == "source-name"
    assert repr(name) in refused.message
    assert refused.hint.startswith("Rename it")


def test_takes_names_that_only_look_alike(tmp_path):
    names = ["env.html", "id_rsa.pub", "keys.html", "a.pem.html", "environment", "pem", "a..b.html"]
    for name in names:
        (write_site(tmp_path) / name).write_text("x")
    assert set(names) <= {file.artifact.path for file in files_of(tmp_path)}


@pytest.mark.parametrize(
    "name", [".nojekyll", ".buildinfo", ".gitignore", ".doctrees/index.doctree"]
)
def test_ignores_files_of_site_generators(tmp_path, name):
    (write_site(tmp_path) / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("x")
    assert name not in {file.artifact.path for file in files_of(tmp_path)}


@pytest.mark.parametrize(("part", "times"), [("a", 250), ("%D7%A9", 25), ("~", 83)])
def test_names_are_limited_as_in_the_folder_store(tmp_path, part, times):
    name = part * times
    check_name(f"docs/{name}")
    FolderStore(tmp_path).put(f"docs/{name}", b"x", content_type="a/b", cache_control="no-store")
    with pytest.raises(Refused) as refused:
        check_name(f"docs/{name}{part}")
    assert refused.value.code == "source-name"
    with pytest.raises(KeyRefused):
        FolderStore(tmp_path).put(
            f"docs/{name}{part}", b"x", content_type="a/b", cache_control="no-store"
        )
