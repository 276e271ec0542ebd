"""The catalogs are complete, compiled, and fit for what they translate."""

import re
import subprocess
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from django.utils import translation

from dispatch import consent
from dispatch.photos.fields import SCRIPT_TEXTS
from tests.languages.texts import ROOT, Text, catalogs, marked, messages, text_of, translations

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|{\w+}|<[^>]*>")
ENTRIES = [(path, entry) for path, entries in catalogs().items() for entry in entries]


def named(path, entry):
    return f"{path.relative_to(ROOT)}: {entry['msgid'][:60]}"


def test_every_marked_text_has_spanish_and_every_spanish_a_text():
    translated = {text_of(entry) for _, entry in ENTRIES}
    assert set(marked()) - translated == set(), "not in any django.po"
    assert translated - set(marked()) == set(), "marked nowhere any more"


def test_no_text_is_translated_in_two_ways():
    found = defaultdict(set)
    for _, entry in ENTRIES:
        found[text_of(entry)].add(tuple(translations(entry)))
    assert [text for text, ways in found.items() if len(ways) > 1] == []


def test_no_catalog_has_a_text_twice():
    for path, entries in catalogs().items():
        count = Counter(map(text_of, entries))
        assert [text for text, times in count.items() if times > 1] == [], path


def test_entries_are_whole_and_certain():
    for path, entry in ENTRIES:
        assert all(text.strip() for text in translations(entry)), named(path, entry)
        assert len(translations(entry)) == (2 if "msgid_plural" in entry else 1)
    for path in catalogs():
        assert "fuzzy" not in path.read_text(), path


def test_placeholders_are_those_of_the_text():
    for path, entry in ENTRIES:
        wanted = Counter(PLACEHOLDER.findall(entry["msgid"]))
        for text in translations(entry):
            assert Counter(PLACEHOLDER.findall(text)) == wanted, named(path, entry)


def test_texts_end_as_they_do_in_english():
    for path, entry in ENTRIES:
        for text in translations(entry):
            for mark in ".?…:":
                assert entry["msgid"].endswith(mark) == text.endswith(mark) or mark == ".", named(
                    path, entry
                )
            assert ("?" in text) == ("¿" in text), named(path, entry)
            assert ("!" in text) == ("¡" in text), named(path, entry)
            assert "'" not in text, named(path, entry)


def test_compiled_catalogs_are_those_of_the_sources():
    done = subprocess.run(
        [ROOT / "bin/messages", "--check"], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_django_reads_the_compiled_catalogs():
    with translation.override("es"):
        for path, entry in ENTRIES:
            text = text_of(entry)
            if not text.plural and not text.context:
                assert translation.gettext(text.text) == entry["msgstr"], named(path, entry)


def test_plurals_and_contexts_are_compiled(tmp_path):
    from gettext import GNUTranslations  # noqa: PLC0415

    source = (
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n'
        '"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
        'msgid "%(n)s day"\nmsgid_plural "%(n)s days"\nmsgstr[0] "un día"\nmsgstr[1] ""\n"%(n)s "\n'
        '"días"\n\n# a note\nmsgctxt "month"\nmsgid "May"\nmsgstr "mayo"\n'
    )
    compiled = tmp_path / "django.mo"
    compiled.write_bytes(messages["compiled"](source))
    with compiled.open("rb") as file:
        read = GNUTranslations(file)
    assert [read.ngettext("%(n)s day", "%(n)s days", n) for n in (1, 2)] == ["un día", "%(n)s días"]
    assert (read.pgettext("month", "May"), read.gettext("May")) == ("mayo", "May")


@pytest.mark.parametrize(
    "source",
    ["msgid 'a'", 'msgid "a', '"a"', 'msgid "a"\nmsgid "b"', 'domain "x"', 'msgid "a" "b" c'],
)
def test_line_that_is_none_of_a_catalog_is_refused(source):
    with pytest.raises((ValueError, SyntaxError)):
        list(messages["entries"](source))


def test_script_of_the_photos_says_what_is_translated():
    script = (ROOT / "dispatch/static/site/photos.js").read_text()
    said = re.findall(r"say\('([^']+)'", script) + re.findall(r"(?:many|one) = '([^']+)'", script)
    assert sorted(said) == sorted(SCRIPT_TEXTS)


def test_every_language_has_a_text_to_consent_to():
    assert set(consent.CURRENT_IN) == {"en", "es"}
    assert all(version in consent.TEXTS for version in consent.CURRENT_IN.values())
    assert consent.TEXTS[consent.CURRENT_IN["es"]] not in {
        consent.TEXTS[consent.CURRENT_IN["en"]],
        "",
    }


def test_marked_texts_are_found():
    """The search itself: each way of marking a text."""
    found = marked()
    assert Text("Book a pickup") in found
    assert Text("Half a truck") in found  # in an argument of a template's tag
    assert Text("Please check this answer", "Please check these answers") in found
    assert Text("%(low)s to %(high)s") in found
    assert (
        Path("qdn/settings.py").as_posix()
        in found[Text("Fairbanks, North Pole and the Tanana Valley")]
    )
