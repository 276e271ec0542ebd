"""Slugs: the first label of a preview's host, made from the name of its branch."""

import hashlib
import re
from collections.abc import Iterator

from deployments.errors import Refused
from deployments.models import BranchPreview
from deployments.models.previews import SLUG_LENGTH
from deployments.releases.provenance import LONGEST
from deployments.routing.branch_previews import environment_keys
from deployments.routing.preview_hosts import preview_key

_OTHERS = re.compile(r"[^a-z0-9]+")
_EMPTY = "branch"  # for a name without a letter or digit of ASCII
# Hexadecimal digits of the suffix: the short one is taken only if someone tries to.
_SUFFIXES = (6, 12, 40)


def check_branch(branch: str) -> None:
    """Refuse what cannot be the name of a branch. Raises Refused."""
    if not branch.strip() or len(branch) > LONGEST or not branch.isprintable():
        raise Refused(
            "branch-invalid",
            f"Expected the name of a branch: 1 to {LONGEST} printable characters.",
            "Use the output of: git branch --show-current",
        )


def slugs_of(branch: str) -> Iterator[str]:
    """Iterate over the slugs that a branch can have, the preferred one first.

    All but the first end in a digest of the name.
    """
    plain = _OTHERS.sub("-", branch.lower()).strip("-") or _EMPTY
    yield plain[:SLUG_LENGTH].rstrip("-")
    digest = hashlib.sha256(branch.encode()).hexdigest()
    for length in _SUFFIXES:
        room = SLUG_LENGTH - length - 1
        yield f"{plain[:room].rstrip('-')}-{digest[:length]}"


def slug_for(branch: str) -> str:
    """Return the slug of a branch's preview, or the first free one if it has none yet."""
    mine = BranchPreview.objects.filter(branch=branch).values_list("slug", flat=True).first()
    if mine:
        return str(mine)
    taken = set(BranchPreview.objects.values_list("slug", flat=True))
    hosts = environment_keys()
    free = (one for one in slugs_of(branch) if one not in taken and preview_key(one) not in hosts)
    return next(free)
