"""ZIP archives as sources: the files taken, and attacks that are refused and leave no files."""

import io
import stat
import struct
import tempfile
import zipfile
import zlib
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import pytest
from django.core.management import CommandError, call_command

from deployments.errors import Refused
from deployments.models import Release
from deployments.sources import archive
from deployments.sources import limits as source_rules
from deployments.sources.source import opened_source
from tests.deployments.sites import files_of, write_site


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """An empty folder for temporary files; every file is unpacked into it, even small ones."""
    monkeypatch.setattr(archive, "SMALL_BYTES", -1)
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def pack(tmp_path):
    """Write a ZIP archive of entries (name or ZipInfo, content). Return its path."""

    def write(*entries, compression=ZIP_DEFLATED):
        target = tmp_path / "site.zip"
        with ZipFile(target, "w", compression) as archive:
            for name, content in entries:
                archive.writestr(name, content)
        return target

    return write


@pytest.fixture
def bytes_of(tmp_path):
    """Write bytes as an archive. Return its path."""

    def write(content):
        (tmp_path / "site.zip").write_bytes(content)
        return tmp_path / "site.zip"

    return write


def paths(source):
    with opened_source(source) as files:
        return sorted(file.artifact.path for file in files)


def refusal(source):
    with pytest.raises(Refused) as refused, opened_source(source):
        pass
    assert refused.value.hint
    return refused.value


def zipped(folder):
    """Archive a folder in memory."""
    memory = io.BytesIO()
    with ZipFile(memory, "w", ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    return memory.getvalue()


def edited(content, *, signature, offset, value, form="<H"):
    """Overwrite a field of every header that begins with a signature."""
    changed, at = bytearray(content), -1
    while (at := content.find(signature, at + 1)) >= 0:
        struct.pack_into(form, changed, at + offset, value)
    return bytes(changed)


def test_an_archive_is_the_same_as_its_folder(tmp_path, temporary, bytes_of):
    site = write_site(tmp_path / "site", extra=3)
    with opened_source(bytes_of(zipped(site))) as files:
        assert [f.artifact for f in files] == [f.artifact for f in files_of(site)]
        for file in files:
            assert file.body.read_bytes() == (site / file.artifact.path).read_bytes()
            assert temporary in file.body.parents
    assert not list(temporary.iterdir())


def test_small_files_stay_in_memory_while_there_is_room(pack, temporary, monkeypatch):
    monkeypatch.setattr(archive, "SMALL_BYTES", 3)
    monkeypatch.setattr(archive, "KEPT_BYTES", 5)
    texts = {"index.html": "abc", "large.txt": "abcd", "second.txt": "abc"}
    with opened_source(pack(*texts.items())) as files:
        bodies = {file.artifact.path: file.body for file in files}
        assert bodies["index.html"] == b"abc"
        assert bodies["large.txt"].read_text() == "abcd"
        assert bodies["second.txt"].read_text() == "abc"


def test_a_failure_of_the_push_leaves_no_files_behind(temporary, pack):
    with pytest.raises(KeyboardInterrupt), opened_source(pack(("index.html", "x"))):
        raise KeyboardInterrupt
    assert not list(temporary.iterdir())


def test_an_oserror_of_the_push_is_not_blamed_on_the_archive(pack):
    with pytest.raises(OSError, match="elsewhere"), opened_source(pack(("index.html", "x"))):
        raise OSError("elsewhere")


def test_a_link_to_an_archive_is_followed(tmp_path, pack):
    (tmp_path / "latest").symlink_to(pack(("index.html", "x")))
    assert paths(tmp_path / "latest") == ["index.html"]


def test_ignores_files_that_archivers_add(pack):
    names = ["index.html", "__MACOSX/._index.html", "a/.DS_Store", ".git/config", "a/b.txt"]
    assert paths(pack(*((name, "x") for name in names))) == ["a/b.txt", "index.html"]


def test_non_ascii_names_with_and_without_the_utf_8_flag(bytes_of, pack):
    content = pack(("größe.txt", "x")).read_bytes()
    assert paths(bytes_of(content)) == ["größe.txt"]
    for signature, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        content = edited(content, signature=signature, offset=offset, value=0)
    assert paths(bytes_of(content)) == ["größe.txt"]


@pytest.mark.parametrize(
    ("names", "taken"),
    [
        (["site-1/index.html", "site-1/a.txt"], ["a.txt", "index.html"]),
        (["site-1/book/index.html"], ["book/index.html"]),
        (["book/index.html", "book/a.txt"], ["_site.json", "book/a.txt", "book/index.html"]),
        (["a/index.html", "b/a.txt"], ["a/index.html", "b/a.txt"]),
        (["a/index.html", "__MACOSX/x"], ["index.html"]),
        (["a/b.txt"], ["a/b.txt"]),
    ],
)
def test_one_folder_around_the_site_is_removed(pack, names, taken):
    assert paths(pack(*((name, "x") for name in names))) == taken


def test_headers_and_checks_of_an_archive_apply(pack):
    source = pack(
        ("site/index.html", "x"),
        ("site/_headers", "/\n Cache-Control: no-store\n"),
        ("site/checks.json", '[{"path": "/"}]'),
    )
    with opened_source(source) as files:
        found = {file.artifact.path: file.artifact for file in files}
    assert set(found) == {"index.html", "checks.json"}
    assert found["index.html"].cache_control == "no-store"


def test_an_archive_without_files_is_refused(pack):
    assert refusal(pack(("empty/", ""))).code == "source-empty"


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../index.html",
        "a/../../index.html",
        "a/..",
        "./index.html",
        "a//b.html",
        "//server/share",
        "C:/index.html",
        "c:index.html",
    ],
)
def test_refuses_names_that_lead_out(pack, name):
    found = refusal(pack(("index.html", "x"), (name, "x")))
    assert found.code == "archive-refused"
    assert "leads out" in found.message


@pytest.mark.parametrize("name", ["..\\index.html", "a\nb", "a\x00b", "a" * 901, "\\\\server\\a"])
def test_refuses_names_no_url_can_carry(bytes_of, pack, name):
    # zipfile does not write NULs and backslashes as given: insert them afterwards.
    stand_in = "".join("~" if letter in "\\\x00" else letter for letter in name)
    content = pack(("index.html", "x"), (stand_in, "x")).read_bytes()
    assert refusal(bytes_of(content.replace(stand_in.encode(), name.encode()))).code == (
        "source-name"
    )


def test_refuses_folder_entries_that_lead_out(pack):
    assert refusal(pack(("index.html", "x"), ("../a/", ""))).code == "archive-refused"


def test_ignored_files_are_checked_too(pack):
    assert refusal(pack(("index.html", "x"), ("../.git/x", "x"))).code == "archive-refused"


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_refuses_links_and_devices(pack, kind):
    entry = ZipInfo("link.html")
    entry.external_attr = (kind | 0o777) << 16
    found = refusal(pack(("index.html", "x"), (entry, "/etc/passwd")))
    assert "is a link or another special file" in found.message


def test_refuses_links_made_on_windows(pack):
    entry = ZipInfo("link.html")
    entry.create_system, entry.external_attr = 0, 0x420
    assert refusal(pack(("index.html", "x"), (entry, "x"))).code == "archive-refused"


@pytest.mark.parametrize("flag", [0x1, 0x41, 0x2000])
def test_refuses_encrypted_entries(bytes_of, pack, flag):
    content = pack(("index.html", "x")).read_bytes()
    content = edited(content, signature=b"PK\x01\x02", offset=8, value=flag)
    assert "is encrypted" in refusal(bytes_of(content)).message


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_refuses_methods_without_a_limit(pack, method):
    assert (
        "unsupported compression method"
        in refusal(pack(("index.html", "x"), compression=method)).message
    )


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_refuses_two_files_of_one_name(pack):
    found = refusal(pack(("index.html", "good"), ("index.html", "bad")))
    assert "two files of the same name" in found.message


def test_refuses_more_files_than_a_release_has(pack, monkeypatch):
    monkeypatch.setattr(source_rules, "FILES_AT_MOST", 3)
    names = ["index.html", "a.txt", "b.txt", ".git/x", "d/"]
    assert len(paths(pack(*((name, "") for name in names)))) == 3
    assert refusal(pack(*((name, "") for name in [*names, "c.txt"]))).code == "source-too-many"


def test_refuses_more_than_two_gibibytes_as_declared(pack, bytes_of):
    content = pack(("index.html", "x")).read_bytes()
    content = edited(content, signature=b"PK\x01\x02", offset=24, value=2**31 + 1, form="<L")
    assert refusal(bytes_of(content)).code == "source-too-large"


def test_refuses_a_high_compression_ratio(pack, monkeypatch):
    monkeypatch.setattr(archive, "RATIO_BYTES", 1_000_000)
    assert paths(pack(("index.html", b"\0" * 1_000_000))) == ["index.html"]
    found = refusal(pack(("index.html", b"\0" * 1_000_001)))
    assert "unpacks to more than 100 times its size" in found.message


@pytest.mark.parametrize("declared", [0, 10, 1_999_999, 2_000_001])
@pytest.mark.parametrize("compression", [ZIP_STORED, ZIP_DEFLATED])
def test_refuses_a_wrong_declared_size(pack, bytes_of, temporary, declared, compression):
    """The checksum fits the declared size, where zipfile stops, so only counting finds it."""
    whole = b"\0" * 2_000_000
    content = pack(("index.html", whole), compression=compression).read_bytes()
    for signature, size, checksum in ((b"PK\x01\x02", 24, 16), (b"PK\x03\x04", 22, 14)):
        content = edited(content, signature=signature, offset=size, value=declared, form="<L")
        value = zlib.crc32(whole[:declared])
        content = edited(content, signature=signature, offset=checksum, value=value, form="<L")
    found = refusal(bytes_of(content))
    assert found.code == "archive-broken"
    assert not list(temporary.iterdir())


def test_stops_unpacking_after_the_declared_size(pack, bytes_of, temporary, monkeypatch):
    unpacked = []
    real = zipfile.ZipExtFile.read

    def read(self, size):
        unpacked.append(real(self, size))
        return unpacked[-1]

    monkeypatch.setattr(zipfile.ZipExtFile, "read", read)
    content = pack(("index.html", b"\0" * 2_000_000)).read_bytes()
    content = edited(content, signature=b"PK\x01\x02", offset=24, value=10, form="<L")
    assert refusal(bytes_of(content)).code == "archive-broken"
    assert len(b"".join(unpacked)) <= 11


def test_refuses_a_wrong_checksum(pack, bytes_of, temporary):
    content = bytearray(pack(("index.html", "abc"), compression=ZIP_STORED).read_bytes())
    content[content.index(b"abc")] = ord("x")
    found = refusal(bytes_of(bytes(content)))
    assert "Bad CRC-32" in found.message
    assert not list(temporary.iterdir())


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.999])
def test_refuses_a_truncated_archive(tmp_path, bytes_of, kept):
    content = zipped(write_site(tmp_path / "site"))
    assert refusal(bytes_of(content[: int(len(content) * kept)])).code == "archive-broken"


@pytest.mark.parametrize("content", [b"", b"<html>", b"\x1f\x8b" + b"x" * 100, b"PK\x03\x04"])
def test_refuses_other_files(bytes_of, content):
    assert refusal(bytes_of(content)).code == "archive-broken"


def test_refuses_files_that_overlap(pack, bytes_of):
    """Two entries share one file's bytes, as in bombs that pass a check of each file's ratio."""
    content = pack(("a.html", "x" * 1_000), ("b.html", "y" * 1_000)).read_bytes()
    second = content.index(b"PK\x03\x04", 1)
    listed = content.index(b"PK\x01\x02")
    other = content.index(b"PK\x01\x02", listed + 1)
    changed = bytearray(content)
    struct.pack_into("<L", changed, other + 42, 0)
    assert struct.unpack_from("<L", content, other + 42) == (second,)
    assert "files overlap" in refusal(bytes_of(bytes(changed))).message


def test_refuses_files_hidden_in_the_extra_field_of_another(pack, bytes_of):
    """The local header's extra field shifts the first file's bytes into the second's."""
    content = pack(("a.html", "x"), ("b.html", "y"), compression=ZIP_STORED).read_bytes()
    changed = bytearray(content)
    struct.pack_into("<H", changed, 28, 20)
    assert "files overlap" in refusal(bytes_of(bytes(changed))).message


def test_refuses_too_many_entries(pack, bytes_of, monkeypatch):
    monkeypatch.setattr(archive, "ENTRIES_AT_MOST", 3)
    assert len(paths(pack(*((f"{n}.txt", "") for n in range(3))))) == 3
    assert refusal(pack(*((f"{n}.txt", "") for n in range(4)))).code == "source-too-many"


def test_refuses_a_list_of_files_too_large_for_memory(pack, monkeypatch):
    monkeypatch.setattr(archive, "DIRECTORY_BYTES", 70_000)
    entry = ZipInfo("index.html")
    entry.comment = b"x" * 60_000
    other = ZipInfo("other.html")
    other.comment = b"x" * 60_000
    assert refusal(pack((entry, "x"), (other, "x"))).code == "source-too-many"


def test_reports_a_full_disk(pack, temporary, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    source = pack(("index.html", "x"))
    monkeypatch.setattr(ZipFile, "open", full)
    found = refusal(source)
    assert "No space left" in found.message
    assert "TMPDIR" in found.hint
    assert not list(temporary.iterdir())


@pytest.mark.parametrize("seed", range(60))
def test_damage_anywhere_never_crashes(tmp_path, bytes_of, temporary, seed):
    """A damaged archive is refused or unpacked in full, and leaves no files."""
    content = bytearray(zipped(write_site(tmp_path / "site")))
    ends = len(content)
    for number in range(1 + seed % 4):
        at = zlib.crc32(f"{seed}-{number}".encode()) % ends
        # Half of the damage hits the list of files, which is at the end.
        content[ends - 1 - at % 700 if seed % 2 else at] = zlib.adler32(f"{seed}".encode()) % 256
    try:
        with opened_source(bytes_of(bytes(content))):
            pass
    except Refused:
        pass
    assert not list(temporary.iterdir())


def attacks(pack):
    link = ZipInfo("link.html")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    page = ("index.html", "x")
    yield lambda: pack(page, ("../../evil.html", "x"))
    yield lambda: pack(page, ("/evil.html", "x"))
    yield lambda: pack(page, (link, "/etc/passwd"))
    yield lambda: pack(("index.html", b"\0" * (archive.RATIO_BYTES + 1)))


@pytest.mark.django_db
@pytest.mark.parametrize("number", range(4))
def test_push_refuses_attacks_and_writes_nothing(pack, temporary, settings, number):
    source = list(attacks(pack))[number]()
    with pytest.raises(CommandError) as failed:
        call_command("push", source=source, json=True)
    assert failed.value.returncode == 1
    assert "\n" not in str(failed.value)
    assert not Release.objects.exists()
    assert not settings.EDGE_STORE_DIR.exists()
    assert not list(temporary.iterdir())


@pytest.mark.django_db
def test_push_takes_an_archive(tmp_path, bytes_of, temporary, settings, capsys):
    settings.EDGE_PROBE_SECONDS = 0
    source = bytes_of(zipped(write_site(tmp_path / "site")))
    call_command("push", source=source)
    assert "staging serves" in capsys.readouterr().out
    assert Release.objects.get().files == 6
    assert not list(temporary.iterdir())
