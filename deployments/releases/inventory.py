"""What of a release the store has already, and how that is known.

The manifests of releases vouch for what they name: a manifest is written when all of it is there,
and taken away before any of it. So a push asks the store only about what no manifest at hand names,
and costs the same however much is stored. A manifest does not count while its release is marked for
removal; and whoever removes assets sees a push that has begun (locks/asset_sweep.py).
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from deployments.at_once import at_once
from deployments.errors import Refused
from deployments.models import Release
from deployments.models.releases import ReleaseQuerySet
from deployments.releases.manifest import ASSETS, MANIFEST, Artifact, Manifest
from deployments.releases.store import Manifests, is_as_pushed, listed
from edge.protocols import ObjectInfo, ObjectStore

# Releases differ little from those before them, so older manifests add little.
MANIFESTS_READ = 4
# Up to here, asking for each asset is quicker than a listing of those of all releases.
ASKED_ONE_BY_ONE = 200


@dataclass(frozen=True, slots=True)
class Inventory:
    """Paths of a release that are stored.

    `vouchers` are the releases whose manifests say so; `seen` are assets that none of them names,
    and that were looked for and found.
    """

    paths: frozenset[str]
    vouchers: frozenset[int] = frozenset()
    seen: tuple[Artifact, ...] = ()


def take_inventory(
    objects: ObjectStore,
    manifest: Manifest,
    known: Release | None,
    manifests: Manifests,
    sources: Iterable[Release],
) -> Inventory:
    """Find what is stored of a release.

    `known` is the release where it was pushed before, `sources` are those it may resemble. Raises
    Refused when an asset's name is taken by another one.
    """
    if known and _is_whole(objects, known):
        return Inventory(frozenset(manifest.by_path), frozenset({known.pk}))
    assets = [artifact for artifact in manifest if artifact.shared]
    named, vouchers = _named(assets, manifests, sources, known)
    seen = assets_there(objects, [one for one in assets if one.path not in named])
    paths = {artifact.path for artifact in seen} | named | _documents(objects, manifest, known)
    return Inventory(frozenset(paths), frozenset(vouchers), tuple(seen))


def look_for_all(objects: ObjectStore, manifest: Manifest, known: Release | None) -> Inventory:
    """Find what is stored of a release; take nothing on a manifest's word. Raises Refused."""
    assets = [artifact for artifact in manifest if artifact.shared]
    seen = assets_there(objects, assets, mend=True)
    paths = {artifact.path for artifact in seen} | _documents(objects, manifest, known)
    return Inventory(frozenset(paths), seen=tuple(seen))


def vouch_still(holdings: Inventory) -> bool:
    """Tell whether the manifests that were relied on still count."""
    return _vouching().filter(pk__in=holdings.vouchers).count() == len(holdings.vouchers)


def assets_there(
    objects: ObjectStore, assets: Collection[Artifact], *, mend: bool = False
) -> list[Artifact]:
    """Look which assets are stored. Raises Refused when a name is taken by another one.

    With `mend` those that somebody cut short or wrote over count as gone.
    """
    if len(assets) > ASKED_ONE_BY_ONE:
        there = listed(objects, ASSETS)
        assets = [one for one in assets if there.get(one.path) is not None]
    infos = at_once(lambda one: objects.head(one.path), assets)
    found = [(one, info) for one, info in zip(assets, infos, strict=True) if info]
    if mend:
        found = [(one, info) for one, info in found if not _is_spoilt(one, info)]
    for one, info in found:
        digest = info.metadata.get("sha256", "")
        _check_same(one, digest, info.content_type, info.cache_control)
    return [one for one, _ in found]


def gone_since(objects: ObjectStore, assets: Collection[Artifact]) -> list[Artifact]:
    """Tell which assets are there no more; that they were the right ones is known."""
    if len(assets) > ASKED_ONE_BY_ONE:
        there = listed(objects, ASSETS)
        return [one for one in assets if one.path not in there]
    infos = at_once(lambda one: objects.head(one.path), assets)
    return [one for one, info in zip(assets, infos, strict=True) if info is None]


def _is_whole(objects: ObjectStore, release: Release) -> bool:
    """Whether a release was completed, and its manifest and pages are as a deployment asks."""
    if release.completed_at is None:
        return False
    info = objects.head(release.key(MANIFEST))
    if info is None or info.metadata.get("sha256") != release.digest:
        return False
    return all(is_as_pushed(objects, release, page) for page in _pages(release))


def _named(
    assets: Iterable[Artifact],
    manifests: Manifests,
    sources: Iterable[Release],
    known: Release | None,
) -> tuple[set[str], set[int]]:
    """Find the assets that manifests name, and the releases that vouch for them."""
    wanted = {artifact.path: artifact for artifact in assets}
    named: set[str] = set()
    vouchers: set[int] = set()
    for release in _asked(sources, known, wanted):
        manifest = manifests.of(release)
        rows = manifest.by_path if manifest else {}
        found = {path: rows[path] for path in wanted if path in rows}
        for path, there in found.items():
            _check_same(wanted.pop(path), there.sha256, there.content_type, there.cache_control)
            named.add(path)
        if found:
            vouchers.add(release.pk)
    return named, vouchers


def _asked(
    sources: Iterable[Release], known: Release | None, wanted: Collection[str]
) -> Iterator[Release]:
    """Choose releases whose manifests may help: the sources, and the latest if much is wanted.

    A release that was found not to be whole does not vouch for itself.
    """
    first = [release.pk for release in sources]
    yield from _vouching().filter(pk__in=first)
    told = [*first, known.pk] if known else first
    for release in _vouching().exclude(pk__in=told)[:MANIFESTS_READ]:
        if len(wanted) > ASKED_ONE_BY_ONE:
            yield release


def _vouching() -> ReleaseQuerySet:
    return Release.objects.complete().filter(marked_at=None)


def _documents(objects: ObjectStore, manifest: Manifest, known: Release | None) -> set[str]:
    """Find which documents an earlier push of the same release has left, and nobody changed."""
    if known is None:
        return set()
    there = listed(objects, known.key(""))
    documents = (artifact for artifact in manifest if not artifact.shared)
    found = {a.path for a in documents if there.get(a.key(known.name)) == a.size}
    changed = {a.path for a in _pages(known) if not is_as_pushed(objects, known, a)}
    return found - changed


def _pages(release: Release) -> list[Artifact]:
    return [Artifact.from_row(page) for page in release.pages.values()]


def _is_spoilt(artifact: Artifact, info: ObjectInfo) -> bool:
    """Whether an object has another size, and no push put it there as another asset."""
    known = info.metadata.get("sha256") in {None, artifact.sha256}
    return known and info.size != artifact.size


def _check_same(artifact: Artifact, sha256: str, content_type: str, cache_control: str) -> None:
    """Refuse an asset whose name is taken by other content, or by another type."""
    if sha256 != artifact.sha256:
        raise Refused(
            "asset-conflict",
            f"{artifact.path} is already stored with other content; assets never change.",
            "Put a content hash into the file's name, or move the file out of assets/.",
        )
    if (content_type, cache_control) != (artifact.content_type, artifact.cache_control):
        raise Refused(
            "asset-headers",
            f"{artifact.path} is already stored as {content_type} with {cache_control}, not as "
            f"{artifact.content_type}; assets never change.",
            "Rename the file, or give it the type it is stored with in the source's _headers.",
        )
