"""The texts that the project marks for translation, and the entries of its catalogs."""

import ast
import re
import runpy
from functools import cache
from pathlib import Path
from typing import NamedTuple

from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent.parent
messages = runpy.run_path(str(ROOT / "bin/messages"), run_name="messages")
APPS = (
    *("builds", "crews", "deployments", "dispatch", "edge", "notifications", "office", "qdn"),
    "tracking",
)
# The arguments with a context, a text and its plural, by the function that marks them.
ARGUMENTS = {
    "gettext": "t",
    "gettext_lazy": "t",
    "gettext_noop": "t",
    "pgettext": "ct",
    "pgettext_lazy": "ct",
    "ngettext": "tp",
    "ngettext_lazy": "tp",
    "npgettext": "ctp",
    "npgettext_lazy": "ctp",
}
# What templatize() leaves of a template: calls, between other characters.
CALL = re.compile(r"\b(n?p?gettext|_)\((.*?)\) ", re.DOTALL)


class Text(NamedTuple):
    """A text to translate."""

    text: str
    plural: str = ""
    context: str = ""


def catalogs():
    """Return the entries of each catalog by path, without the headers."""
    return {
        path: [one for one in messages["entries"](path.read_text()) if one["msgid"]]
        for path in messages["catalogs"]()
    }


def text_of(entry):
    """Return the text that an entry translates."""
    return Text(entry["msgid"], entry.get("msgid_plural", ""), entry.get("msgctxt", ""))


def translations(entry):
    """Return the translations of an entry: one, or one for each number."""
    return [text for key, text in entry.items() if key.startswith("msgstr")]


@cache
def marked():
    """Return where each marked text is."""
    found = {}
    for path in sources():
        texts = in_template(path) if path.suffix == ".html" else in_python(path)
        for text in texts:
            found.setdefault(text, []).append(str(path.relative_to(ROOT)))
    return found


def sources():
    """Yield the templates, and the modules that mark texts."""
    yield from sorted((ROOT / "templates").rglob("*.html"))
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "gettext" in path.read_text():
                yield path


def in_template(path):
    """Yield the texts that a template marks."""
    for name, arguments in CALL.findall(templatize(path.read_text(), str(path)) + " "):
        call = ast.parse(f"call({arguments})", mode="eval").body
        yield _text("gettext" if name == "_" else name, call)


def in_python(path):
    """Yield the texts that a module marks."""
    tree = ast.parse(path.read_text())
    names = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            name = names.get(called, called)
            if name in ARGUMENTS and isinstance(node.args[0], ast.Constant):
                yield _text(name, node)


def _text(name, call):
    constants = [one.value for one in call.args if isinstance(one, ast.Constant)]
    values = dict(zip(ARGUMENTS[name], constants, strict=False))
    return Text(values["t"], values.get("p", ""), values.get("c", ""))
