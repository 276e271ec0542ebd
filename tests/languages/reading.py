"""What a page says, to compare it in two languages."""

import re
from html.parser import HTMLParser

# Attributes that people read or hear, and those from which scripts take texts.
SAID = (
    *("alt", "aria-label", "content", "placeholder", "title"),
    *("data-later", "data-none", "data-other", "data-sending"),
)
SILENT = ("script", "style")
EMPTY = ("br", "hr", "img", "input", "link", "meta", "path", "circle", "progress")
# The same in every language: what has no word, and names.
SAME = re.compile(
    r"[^A-Za-z]*|QuickDumpNow:?|width=device-width, initial-scale=1|style-src .*"
    r"|#[0-9a-f]{6}|noindex|no-referrer|same-origin|website|summary_large_image"
    r"|https?://\S+\.png"
)


class Reader(HTMLParser):
    """Collects the sentences of a page, without those that say to be in another language."""

    def __init__(self):
        super().__init__()
        self.texts = set()
        self.language = ""
        self.open = []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag == "html":
            self.language = values["lang"]
        other = values.get("lang", self.language) != self.language
        quiet = other or tag in SILENT or bool(self.open and self.open[-1][1])
        if not quiet:
            for name in SAID:
                self._keep(values.get(name) or "")
        if tag not in EMPTY:
            self.open.append((tag, quiet))

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if self.open and not self.open[-1][1]:
            self._keep(data)

    def _keep(self, text):
        sentences = re.split(r"(?<=[.?!:]) ", " ".join(text.split()))
        self.texts.update(one for one in sentences if one)


def read(page):
    """Return the language of a page and the texts on it."""
    reader = Reader()
    reader.feed(page)
    return reader.language, reader.texts


def left_in_english(english, spanish):
    """Return the texts of a page in English that its Spanish one has too."""
    (first, wanted), (second, found) = read(english), read(spanish)
    assert (first, second) == ("en", "es")
    return sorted(text for text in wanted & found if not SAME.fullmatch(text))
