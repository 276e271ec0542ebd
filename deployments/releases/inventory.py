"""What of a release is stored already, and how that is known.

Manifests vouch for the files they name: a manifest is written after all of its files, and removed
before any of them. So a push asks the store only about files that no manifest at hand names, and
its cost does not grow with the store. The manifest of a release marked for removal does not count,
and a removal of assets notices pushes that have begun (locks/asset_sweep.py).
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from deployments.errors import Refused
from deployments.models import Release
from deployments.models.releases import ReleaseQuerySet
from deployments.releases.manifest import ASSETS, Artifact, Manifest
from deployments.releases.store import concurrently, is_as_pushed, is_whole, object_sizes
from edge.protocols import ObjectInfo, ObjectStore

# Releases differ little from those before them, so older manifests add little.
MANIFESTS_READ = 4
# Above this number, listing the assets of all releases is faster than asking for each.
HEADS_AT_MOST = 200

# Returns a release's manifest, or None if it is missing or damaged.
FindManifest = Callable[[Release], Manifest | None]


@dataclass(frozen=True, slots=True)
class Inventory:
    """Paths of a release that are stored.

    `vouchers` are the releases whose manifests name them; `found` are assets that no manifest at
    hand names, found in the store.
    """

    paths: frozenset[str]
    vouchers: frozenset[int] = frozenset()
    found: tuple[Artifact, ...] = ()


def inventory_by_manifests(
    objects: ObjectStore,
    manifest: Manifest,
    known: Release | None,
    find_manifest: FindManifest,
    sources: Iterable[Release],
) -> Inventory:
    """Take the inventory of a release, trusting the manifests of complete releases.

    `known` is the release if it was pushed before; `sources` are releases it may resemble. Raises
    Refused if an asset's name is taken by other content.
    """
    if known and is_whole(objects, known):
        return Inventory(frozenset(manifest.by_path), frozenset({known.pk}))
    assets = [artifact for artifact in manifest if artifact.shared]
    named, vouchers = _named_assets(assets, find_manifest, sources, known)
    found = stored_assets(objects, [one for one in assets if one.path not in named])
    paths = {asset.path for asset in found} | named | _stored_documents(objects, manifest, known)
    return Inventory(frozenset(paths), frozenset(vouchers), tuple(found))


def inventory_by_objects(
    objects: ObjectStore, manifest: Manifest, known: Release | None
) -> Inventory:
    """Take the inventory of a release from its objects alone.

    Damaged assets count as missing. Raises Refused if an asset's name is taken by other content.
    """
    assets = [artifact for artifact in manifest if artifact.shared]
    found = stored_assets(objects, assets, repair=True)
    paths = {asset.path for asset in found} | _stored_documents(objects, manifest, known)
    return Inventory(frozenset(paths), found=tuple(found))


def is_vouched_for(inventory: Inventory) -> bool:
    """Whether all manifests that the inventory relies on still count."""
    return _vouching().filter(pk__in=inventory.vouchers).count() == len(inventory.vouchers)


def stored_assets(
    objects: ObjectStore, assets: Collection[Artifact], *, repair: bool = False
) -> list[Artifact]:
    """Return the assets that are stored. Raises Refused if a name is taken by other content.

    With `repair`, assets that were truncated or overwritten count as missing.
    """
    if len(assets) > HEADS_AT_MOST:
        sizes = object_sizes(objects, ASSETS)
        assets = [one for one in assets if one.shared_key in sizes]
    infos = concurrently(lambda one: objects.head(one.shared_key), assets)
    stored = [(one, info) for one, info in zip(assets, infos, strict=True) if info]
    if repair:
        stored = [(one, info) for one, info in stored if not _is_damaged(one, info)]
    for one, info in stored:
        digest = info.metadata.get("sha256", "")
        _check_same(one, digest, info.content_type, info.cache_control)
    return [one for one, _ in stored]


def missing_assets(objects: ObjectStore, assets: Collection[Artifact]) -> list[Artifact]:
    """Return the assets that are no longer stored; their content was checked before."""
    if len(assets) > HEADS_AT_MOST:
        sizes = object_sizes(objects, ASSETS)
        return [one for one in assets if one.shared_key not in sizes]
    infos = concurrently(lambda one: objects.head(one.shared_key), assets)
    return [one for one, info in zip(assets, infos, strict=True) if info is None]


def _named_assets(
    assets: Iterable[Artifact],
    find_manifest: FindManifest,
    sources: Iterable[Release],
    known: Release | None,
) -> tuple[set[str], set[int]]:
    """Return the assets that manifests name, and the releases that vouch for them."""
    wanted = {artifact.path: artifact for artifact in assets}
    named: set[str] = set()
    vouchers: set[int] = set()
    for release in _candidates(sources, known, wanted):
        manifest = find_manifest(release)
        rows = manifest.by_path if manifest else {}
        found = {path: rows[path] for path in wanted if path in rows and rows[path].shared}
        for path, row in found.items():
            _check_same(wanted.pop(path), row.sha256, row.content_type, row.cache_control)
            named.add(path)
        if found:
            vouchers.add(release.pk)
    return named, vouchers


def _candidates(
    sources: Iterable[Release], known: Release | None, wanted: Collection[str]
) -> Iterator[Release]:
    """Return releases whose manifests may help: the sources, and the latest if much is wanted.

    `known` is left out: a release that is not whole does not vouch for itself.
    """
    first = [release.pk for release in sources]
    yield from _vouching().filter(pk__in=first)
    excluded = [*first, known.pk] if known else first
    for release in _vouching().exclude(pk__in=excluded)[:MANIFESTS_READ]:
        if len(wanted) > HEADS_AT_MOST:
            yield release


def _vouching() -> ReleaseQuerySet:
    return Release.objects.complete().filter(marked_at=None)


def _stored_documents(objects: ObjectStore, manifest: Manifest, known: Release | None) -> set[str]:
    """Return the documents that an earlier push of the same release stored, still unchanged."""
    if known is None:
        return set()
    sizes = object_sizes(objects, known.key(""))
    documents = (artifact for artifact in manifest if not artifact.shared)
    found = {a.path for a in documents if sizes.get(a.key(known.name)) == a.size}
    pages = map(Artifact.from_row, known.pages.values())
    return found - {page.path for page in pages if not is_as_pushed(objects, known, page)}


def _is_damaged(asset: Artifact, info: ObjectInfo) -> bool:
    """Whether an object has the wrong size without being another push's asset of that name."""
    is_ours = info.metadata.get("sha256") in {None, asset.sha256}
    return is_ours and info.size != asset.size


def _check_same(asset: Artifact, sha256: str, content_type: str, cache_control: str) -> None:
    """Refuse an asset whose name is stored with other content or other headers."""
    if sha256 != asset.sha256:
        raise Refused(
            "asset-conflict",
            f"{asset.path} is already stored with different content; assets never change.",
            "Its name looks as if it carried a hash of its content. Rename the file, or name the "
            "folders with hashed names in qdn.toml: [site] immutable.",
        )
    if (content_type, cache_control) != (asset.content_type, asset.cache_control):
        raise Refused(
            "asset-headers",
            f"{asset.path} is already stored as {content_type} with {cache_control}, not as "
            f"{asset.content_type}; assets never change.",
            "Rename the file, or give it the stored type in the source's _headers file.",
        )
