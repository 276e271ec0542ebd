"""A switch costs the same for ten files and for ten thousand."""

import pytest

from tests.deployments.doubles import Counting

PARTS = ("objects", "keyvalues", "functions", "distribution", "viewer")


@pytest.fixture
def operations(operator, backend, replaced):
    """Return a function that counts the calls of a promotion and rollback with `extra` files."""

    def count(extra):
        operator.backend = backend
        first, second = (operator.push(f"{mark}{extra}", extra=extra) for mark in "AB")
        operator.promote(first)
        parts = {name: Counting(getattr(backend, name)) for name in PARTS}
        operator.backend = replaced(**parts)
        operator.promote(second)
        operator.rollback(first)
        return {name: dict(part.calls) for name, part in parts.items()}

    return count


def test_operations_do_not_grow_with_the_release(operations):
    small = operations(4)
    large = operations(9_994)
    assert small["keyvalues"]["update"] == 2
    assert large == small
