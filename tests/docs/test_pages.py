"""Pages hold together: links lead somewhere, each page is listed, lines have one width."""

import re

import pytest

from tests.docs.places import DOCS, PAGES, shown

WIDTH = 100
# To be wrapped with their rewriting.


def without_code(text):
    """Return a page without its code blocks, fenced and indented."""
    text = re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"(?<=\n\n) {4,}.*(?:\n {4,}.*)*", "", text)


def anchors(path):
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", without_code(path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_links_lead_somewhere(page):
    text = without_code(page.read_text())
    for link in re.findall(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"", text):
        target, _, anchor = "".join(link).partition("#")
        if target.startswith(("http", "mailto")):
            continue
        path = page.parent / target if target else page
        assert path.exists(), f"{shown(page)} links to {target}"
        assert not anchor or anchor in anchors(path), f"{shown(page)} links to {target}#{anchor}"


def test_every_page_is_listed():
    listed = re.findall(r"\]\(([^)\s]+)\)", (DOCS / "README.md").read_text())
    assert {(DOCS / one).resolve() for one in listed} == set(DOCS.rglob("*.md")) - {
        DOCS / "README.md"
    }


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_prose_is_wrapped(page):
    prose = [
        line
        for line in without_code(page.read_text()).splitlines()
        if not line.lstrip().startswith(("|", "<", "#"))
    ]
    assert not [line for line in prose if len(line) > WIDTH]
