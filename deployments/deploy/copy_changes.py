"""Comparing what the keys of a `copy` environment hold with what they should hold. Pure functions.

What the keys hold follows from manifests: the live release's, and those of deployments that did not
finish, since any of their files may have arrived. Where that is unknown (never deployed by copy, a
manifest missing) or cannot be trusted, each key has to be checked.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from deployments.releases.manifest import Artifact, Manifest

PAGE_TYPE = "text/html"


@dataclass(frozen=True, slots=True)
class Before:
    """What the keys may hold, and the caches with them.

    `listed` maps each existing path to its size in bytes. `manifests` are the possible origins, the
    live release's first. `is_known`: there is no other origin. `kept` are paths that stay: those of
    the replaced release for pages that are still open, and the default error page.
    """

    listed: Mapping[str, int]
    manifests: tuple[Manifest, ...]
    is_known: bool
    kept: frozenset[str] = frozenset()

    def may_differ(self, artifact: Artifact) -> bool:
        """Whether the key may hold anything other than the artifact."""
        if not self.is_known or self.listed.get(artifact.path) != artifact.size:
            return True
        return any(m.by_path.get(artifact.path) != artifact for m in self.manifests)

    def may_be_cached_otherwise(self, artifact: Artifact) -> bool:
        """Whether a cache may hold anything other than the artifact under its path."""
        size = self.listed.get(artifact.path, artifact.size)
        return size != artifact.size or any(
            m.by_path.get(artifact.path, artifact) != artifact for m in self.manifests
        )

    def was_served(self, path: str) -> bool:
        """Whether the pages served now may refer to the path."""
        if self.is_known and self.manifests:
            return path in self.manifests[0].by_path
        return path in self.listed


@dataclass(frozen=True, slots=True)
class Changes:
    """What a deployment by copy does: copy stage by stage, delete, invalidate.

    `stages` are named by a singular noun. `stale` paths may be cached with other content; `gone`
    ones may be cached and must disappear.
    """

    stages: tuple[tuple[str, tuple[Artifact, ...]], ...] = ()
    deletions: tuple[str, ...] = ()
    stale: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    unchanged: frozenset[str] = frozenset()

    @property
    def copies(self) -> list[Artifact]:
        return [artifact for _, artifacts in self.stages for artifact in artifacts]

    def __bool__(self) -> bool:
        return bool(self.stages or self.deletions)


def uncertain(target: Manifest, before: Before) -> list[Artifact]:
    """Return the artifacts whose keys must be checked, since they may already be right.

    None if the keys hold one known release: then every difference is copied.
    """
    if before.is_known and len(before.manifests) == 1:
        return []
    return [a for a in target if a.path in before.listed and before.may_differ(a)]


def compare(target: Manifest, before: Before, *, right: Collection[str] = ()) -> Changes:
    """Return the changes after which the keys hold the target; `right` paths were checked."""
    differing = [a for a in target if before.may_differ(a)]
    copies = [a for a in differing if a.path not in right]
    stale = {
        a.path
        for a in differing
        if before.may_be_cached_otherwise(a)
        or (not before.is_known and a.path in before.listed and a.path not in right)
    }
    possible = set(before.listed).union(*(m.by_path for m in before.manifests))
    gone = possible - set(target.by_path) - before.kept
    return Changes(
        stages=tuple(_stages(copies, before)),
        deletions=tuple(sorted(gone & set(before.listed))),
        stale=frozenset(stale),
        gone=frozenset(gone),
        unchanged=frozenset(set(target.by_path) - stale - {a.path for a in copies}),
    )


def _stages(
    copies: Iterable[Artifact], before: Before
) -> Iterator[tuple[str, tuple[Artifact, ...]]]:
    """Order copies so that everything a page refers to arrives before the page."""
    by_name: dict[str, list[Artifact]] = {
        name: [] for name in ("asset", "new document", "changed document", "changed page")
    }
    for artifact in copies:
        by_name[_stage(artifact, before)].append(artifact)
    return ((name, tuple(artifacts)) for name, artifacts in by_name.items() if artifacts)


def _stage(artifact: Artifact, before: Before) -> str:
    if artifact.shared:
        return "asset"
    if not before.was_served(artifact.path):
        return "new document"
    is_page = artifact.content_type.startswith(PAGE_TYPE)
    return "changed page" if is_page else "changed document"
