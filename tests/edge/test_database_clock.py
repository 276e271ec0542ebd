import time
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from edge.database_clock import database_now

pytestmark = pytest.mark.django_db


def test_clock_of_the_process_does_not_matter(time_machine):
    before = database_now()
    time_machine.move_to(timezone.now() + timedelta(hours=3))
    assert before <= database_now() < before + timedelta(hours=1)


def test_time_is_aware_and_goes_on_within_a_transaction():
    with transaction.atomic():
        first = database_now()
        time.sleep(0.01)
        assert first.tzinfo
        assert database_now() > first
