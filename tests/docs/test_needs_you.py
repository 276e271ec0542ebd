"""The reference of "needs you" lists the rules as they are."""

from dispatch.needs.table import rules
from tests.docs.places import rows


def test_rules():
    shown = [tuple(row) for row in rows("needs-you.md", "rule")]
    assert shown == [(f"`{rule.code}`", rule.name, rule.meaning, rule.label) for rule in rules()]
