"""A fixed time."""

import pytest
import time_machine

from tests.dispatch.customer_actions.builders import NOW


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock
