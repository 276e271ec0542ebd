"""The forms of a page, as a browser would send them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

UNSENT = {"submit", "button", "image", "reset", "file"}


@dataclass
class PageForm:
    """A form: where it is sent, and the values of its fields."""

    action: str
    method: str
    fields: dict[str, list[str]] = field(default_factory=dict)


def forms_in(html: str) -> list[PageForm]:
    """Return the forms of a page."""
    reader = _Reader()
    reader.feed(html)
    return reader.forms


def form_for(html: str, path: str) -> dict[str, list[str]]:
    """Return the fields of the largest form that a page sends to its own address."""
    own = [
        form.fields
        for form in forms_in(html)
        if form.method == "post" and form.action.partition("?")[0] in ("", ".", path)
    ]
    return max(own, key=len, default={})


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.forms: list[PageForm] = []
        self._form: PageForm | None = None
        self._select: dict[str, str] | None = None
        self._options: list[tuple[str, bool]] = []
        self._area = ""

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = PageForm(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._form)
        elif tag == "input":
            self._input(given)
        elif tag == "select":
            self._select, self._options = given, []
        elif tag == "option":
            self._options.append((given.get("value", ""), "selected" in given))
        elif tag == "textarea":
            self._area = given.get("name", "")
            self._add(self._area, "")

    def handle_data(self, data):
        if self._area and self._form:
            self._form.fields[self._area][-1] += data.removeprefix("\n")

    def handle_endtag(self, tag):
        if tag == "form":
            self._form = None
        elif tag == "select" and self._select is not None:
            self._end_select(self._select)
        elif tag == "textarea":
            self._area = ""

    def _input(self, given):
        kind = given.get("type", "text")
        can_be_ticked = kind in ("checkbox", "radio")
        if kind not in UNSENT and not (can_be_ticked and "checked" not in given):
            self._add(given.get("name", ""), given.get("value", "on" if can_be_ticked else ""))

    def _end_select(self, given):
        chosen = [value for value, is_selected in self._options if is_selected]
        if not chosen and "multiple" not in given:
            chosen = [value for value, _ in self._options[:1]]
        for value in chosen:
            self._add(given.get("name", ""), value)
        self._select = None

    def _add(self, name, value):
        if self._form and name:
            self._form.fields.setdefault(name, []).append(value)
