"""Pushes at once: the address shows what the row says, and no two branches share one."""

import pytest

from deployments.models import BranchPreview
from deployments.routing.branch_previews import differing_keys
from tests.dispatch.conftest import shared_database, together

__all__ = ["shared_database", "together"]
BRANCHES = ("a/b", "a-b", "a_b", "a/b", "a/b", "a/b")


@pytest.mark.django_db(transaction=True)
def test_pushes_at_once_of_one_branch_and_of_branches_with_one_slug(preview, together, backend):
    pushes = list(enumerate(BRANCHES))

    def push():
        number, branch = pushes.pop()
        return preview(branch, mark=f"mark {number}")

    answers = together(push, times=len(BRANCHES))
    assert [one for one in answers if isinstance(one, Exception)] == []
    assert BranchPreview.objects.count() == len({one.slug for one in answers}) == 3
    items = backend.keyvalues.items()
    assert differing_keys(items) == {}
    assert len([key for key in items if key.endswith(".preview.localhost")]) == 3
    shown = BranchPreview.objects.get(branch="a/b").release
    assert shown in [one.release for one in answers]
