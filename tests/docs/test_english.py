"""Texts have no words that make them read as translated; each comes with what to write instead."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.places import ROOT, shown

# Files and folders to check.
CHECKED = [
    ".env.example", "CHANGELOG.md", "CONTRIBUTING.md", "README.md", "bench", "bin", "builds",
    "crews", "deployments", "dispatch", "docs", "edge", "manage.py", "notifications", "office",
    "qdn", "templates", "tracking",
]  # fmt: skip
SUFFIXES = {".conf", ".css", ".example", ".html", ".js", ".md", ".py", ".service", ".timer"}
SUFFIXES |= {".txt", ".yaml", ".yml"}
LEFT_OUT = {"migrations", "vendor"}

INSTEAD = {
    "mend|mends|mended|mending": "fix, repair",
    "tell(?! us)|tells|told|telling": "say, show, report, return",
    "stands|stood": "is, appears",
    "somebody|someone's|nobody|everybody": "another operator, no one, all viewers",
    "whoever|whatever|whichever": "anyone who, any",
    "anew": "again",
    "shall": "must, should, will",
    "hereby|therein|lest|one's|an own": "plain words",
    r"(?<!there\s)(?:is|are) no(?! longer\b| one\b)(?= )": "is not a",
    "(?:go|goes|going|gone|went) on with": "continue, resume",
    "(?:is|are|be) at work": "in progress, running",
    "no more(?! than)": "no longer",
    "meanwhile(?=[.)])": "in the meantime, while ...",
    "1 (?:copies|deployments|files|jobs|objects|paths|points|releases)": "1 file",
}
# Words in error codes and identifiers do not count: pin-not-told, `told`, plans.told.
AVOIDED = {
    re.compile(rf"(?<![\w.,`-])(?:{pattern})(?![\w-])".replace(" ", r"\s+"), re.IGNORECASE): better
    for pattern, better in INSTEAD.items()
}


def files() -> Iterator[Path]:
    for root in map(ROOT.joinpath, CHECKED):
        for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
            is_text = (path.is_file() and path.suffix in SUFFIXES) or path == root
            if is_text and not LEFT_OUT & set(path.parts):
                yield path


def texts(name: str, content: str) -> Iterator[tuple[int, str]]:
    """Return each piece of text and the line it begins on; of Python, strings and comments."""
    if not name.endswith(".py"):
        # Code spans and template tags name things of the code.
        tags = r"`[^`\n]*`|\{\{.*?\}\}|\{%.*?%\}"
        yield 1, re.sub(tags, lambda tag: "\n" * tag[0].count("\n"), content, flags=re.DOTALL)
        return
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, re.sub(r"`[^`\n]*`", "", node.value)
    for token in tokenize.generate_tokens(io.StringIO(content).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def findings(name: str, content: str) -> list[str]:
    found = {
        (line + text.count("\n", 0, match.start()), " ".join(match[0].split()), better)
        for line, text in texts(name, content)
        for pattern, better in AVOIDED.items()
        for match in pattern.finditer(text)
    }
    return [f"{name}:{line}: '{words}'; better: {better}" for line, words, better in sorted(found)]


@pytest.mark.parametrize("path", list(files()), ids=shown)
def test_english(path):
    found = findings(shown(path), path.read_text())
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.md", "One line.\nIt mends\nthe page.", 2),
        ("a.md", "This is no\npage.", 1),
        ("a.html", "{% if told %}\n<p>Nobody is here</p>{% endif %}", 2),
        ("a.py", '"""A docstring.\n\nIt tells all.\n"""', 3),
        ("a.py", 'name = "a"\nprint(f"{name} is at\\n work")', 2),
        ("a.py", "x = 1  # whoever reads this", 1),
    ],
)
def test_words_are_found(name, content, line):
    (found,) = findings(name, content)
    assert found.startswith(f"{name}:{line}:")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "a.md",
            "The code `pin-not-told` is no longer used. There is no page.",
        ),
        ("a.md", "A deployment never sends more than 21 paths; meanwhile, others wait."),
        ("a.html", "{{ told }} {% if told\n %}"),
        ("a.py", 'def told(error):\n    return Refused("pin-not-told", "a.told")'),
    ],
)
def test_words_of_the_code_are_left_alone(name, content):
    assert findings(name, content) == []
