"""Planning a deployment by copy: what the keys may hold and should hold. Reads only."""

from collections.abc import Iterable
from dataclasses import dataclass

from deployments.deploy.copy_changes import Before, Changes, compare, uncertain
from deployments.deploy.plan import Target
from deployments.invalidation.fold import address, addresses
from deployments.invalidation.send import CachePaths, cost_of, plan_paths
from deployments.live_history import replaced_release
from deployments.models import Deployment, Environment, Release, Strategy
from deployments.releases.manifest import ASSETS, ERROR_PAGE, Artifact, Manifest
from deployments.releases.store import (
    concurrently,
    find_manifest,
    holds,
    object_sizes,
    objects_gone,
    read_manifest,
)
from deployments.wording import plural
from edge.protocols import Backend, ObjectStore


@dataclass(frozen=True, slots=True)
class CopyPlan:
    """What deploying by copy would change.

    `interrupted`: an earlier deployment did not finish, so caches may hold its files.
    """

    backend: Backend
    target: Target
    live: str
    changes: Changes
    interrupted: bool
    is_pointed: bool

    @property
    def is_done(self) -> bool:
        """Whether the environment already serves the target."""
        return (
            self.live == self.target.release.name
            and self.is_pointed
            and not (self.changes or self.interrupted)
        )

    @property
    def stale(self) -> CachePaths:
        """The addresses of changed files, which the distributions drop before the probe."""
        return self._drops(self.changes.stale)

    @property
    def gone(self) -> CachePaths:
        """The addresses of removed files, dropped last, while `stale` may still be in progress."""
        return self._drops(self.changes.gone, wildcards_used=self.stale.wildcards)

    def lines(self) -> list[str]:
        """Return what is copied, deleted and invalidated, and at what cost."""
        changes = self.changes
        drops = self.stale.paths + self.gone.paths
        return [
            f"Copy {plural(len(changes.copies), 'file')}, delete {len(changes.deletions):,}",
            f"Invalidate {cost_of(self.backend.pricing, drops)}",
        ]

    def _drops(self, paths: Iterable[str], *, wildcards_used: int = 0) -> CachePaths:
        wanted = {url for path in paths for url in addresses(path)}
        unchanged = map(address, self.changes.unchanged)
        return plan_paths(
            self.backend,
            self.target.environment,
            wanted,
            unchanged=unchanged,
            wildcards_used=wildcards_used,
        )


def plan_copies(backend: Backend, target: Target) -> CopyPlan:
    """Compare manifests and return what would change. Raises Refused."""
    environment, live = target.environment, target.environment.live
    interrupted = unfinished_copies(environment, live)
    manifest = read_manifest(backend.objects, target.release)
    before = _before(backend.objects, target, manifest, interrupted)
    right = copied_paths(backend.objects, target, uncertain(manifest, before))
    changes = compare(manifest, before, right=right)
    _check_sources(backend.objects, target.release, changes.copies)
    return CopyPlan(
        backend=backend,
        target=target,
        live=live.release.name if live else "",
        changes=changes,
        interrupted=bool(interrupted),
        is_pointed=is_pointed(backend, environment),
    )


def unfinished_copies(environment: Environment, live: Deployment | None) -> list[Deployment]:
    """Return the deployments since the live one whose copies may have arrived in part."""
    later = environment.deployments.filter(strategy=Strategy.COPY).select_related("release")
    return list(later.filter(pk__gt=live.pk) if live else later)


def _before(
    objects: ObjectStore,
    target: Target,
    target_manifest: Manifest,
    interrupted: list[Deployment],
) -> Before:
    """Return what the keys may hold."""
    environment, live = target.environment, target.environment.live
    by_copy = live is not None and live.strategy == Strategy.COPY
    releases = [live.release] if live and by_copy else []
    releases += [deployment.release for deployment in interrupted]
    manifests = [find_manifest(objects, release) for release in dict.fromkeys(releases)]
    # Deploying the live release repairs an environment, so nothing is taken for granted then.
    repairs = live is not None and live.release == target.release
    kept = replaced_release(environment, target.release)
    kept_manifest = find_manifest(objects, kept) if kept else None
    # Without an error page of its own, the release gets the default one after the copies.
    default = {ERROR_PAGE} - target_manifest.by_path.keys()
    prefix = environment.copy_prefix
    sizes = object_sizes(objects, prefix)
    return Before(
        listed={key.removeprefix(prefix): size for key, size in sizes.items()},
        manifests=tuple(manifest for manifest in manifests if manifest),
        is_known=by_copy and not repairs and None not in manifests,
        kept=frozenset(a.path for a in kept_manifest or () if a.shared) | default,
    )


def copied_paths(objects: ObjectStore, target: Target, artifacts: list[Artifact]) -> set[str]:
    """Return the paths whose keys hold their artifacts."""
    prefix = target.environment.copy_prefix
    infos = concurrently(lambda one: objects.head(prefix + one.path), artifacts)
    return {a.path for a, info in zip(artifacts, infos, strict=True) if holds(info, a)}


def _check_sources(objects: ObjectStore, release: Release, copies: list[Artifact]) -> None:
    """Refuse a release with missing files before anything changes. Raises Refused."""
    there: dict[str, int] = {}
    for prefix in {ASSETS if artifact.shared else release.key("") for artifact in copies}:
        there |= object_sizes(objects, prefix)
    for artifact in copies:
        key = artifact.key(release.name)
        if there.get(key) != artifact.size:
            raise objects_gone(release, f"{key} is {'cut short' if key in there else 'missing'}")


def is_pointed(backend: Backend, environment: Environment) -> bool:
    """Whether the hosts are answered from the prefix; always true if the back end has no say."""
    origins, prefix = backend.origins, environment.copy_prefix
    return origins is None or all(origins.prefix(host) == prefix for host in environment.hosts)
