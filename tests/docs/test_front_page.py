"""The reference of the front page lists its parts and the built-in views as they are."""

from dispatch.saved_views import BUILT_IN
from office.front_page.page import PARTS
from tests.docs.places import rows


def test_parts():
    shown = [(name, permission) for name, _, permission in rows("front-page.md", "part")]
    assert [name for name, _ in shown] == [part.name for part in PARTS]
    for part, (_, permission) in zip(PARTS, shown, strict=True):
        assert permission.startswith(f"`{part.permission}`")


def test_built_in_views():
    assert [name for name, _ in rows("front-page.md", "view")] == [name for name, _ in BUILT_IN]
