"""Slugs are labels of host names, and no two branches have the same."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.previews.slugs import slugs_of

LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=200)


@pytest.mark.parametrize(
    ("branch", "slug"),
    [
        ("main", "main"),
        ("feature/Login_Form", "feature-login-form"),
        ("renovate/node-20.x", "renovate-node-20-x"),
        ("--x--", "x"),
        ("日本", "branch"),
        ("a" * 62 + "/b", "a" * 62),
    ],
)
def test_a_slug_resembles_its_branch(branch, slug):
    assert next(slugs_of(branch)) == slug


@given(names)
def test_every_slug_is_a_label(branch):
    slugs = list(slugs_of(branch))
    assert all(LABEL.fullmatch(one) for one in slugs), slugs
    assert slugs == list(slugs_of(branch))


@given(names, names)
def test_the_digest_separates_any_two_branches(one, other):
    assert (list(slugs_of(one))[-1] == list(slugs_of(other))[-1]) == (one == other)
