"""Adopting existing distributions: they are read, never changed."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from deployments.errors import Refused
from deployments.models import Distribution, Environment
from deployments.routing.preview_hosts import without_wildcards
from edge.provisioning.stacks import FoundDistribution, StackHost


@dataclass(frozen=True, slots=True)
class Adoption:
    """A distribution and the path patterns by which it serves an environment's pages."""

    found: FoundDistribution
    paths: tuple[str, ...]


def plan_adoption(
    stacks: StackHost,
    environment: Environment,
    ids: Sequence[str],
    *,
    paths: Sequence[str],
    bucket: str,
) -> list[Adoption]:
    """Read distributions. Without `paths`, use their path patterns that lead to storage.

    Storage is `bucket`, or any S3 bucket if that is empty. Raises Refused.
    """
    return [_adoption(stacks, environment, id_, tuple(paths), bucket) for id_ in ids]


@transaction.atomic
def adopt(environment: Environment, adoptions: Sequence[Adoption]) -> list[Distribution]:
    """Record distributions for an environment, and their hosts."""
    rows = []
    for adoption in adoptions:
        found = adoption.found
        aliases = without_wildcards(found.aliases)
        new = [host for host in (found.domain, *aliases) if host not in environment.hosts]
        # The first host is probed, so the first distribution's goes before the present ones.
        first = not environment.distributions.exclude(remote_id=found.id).exists()
        environment.hosts = [*new, *environment.hosts] if first else [*environment.hosts, *new]
        row, _ = Distribution.objects.update_or_create(
            remote_id=found.id,
            defaults={
                "environment": environment,
                "domain": found.domain,
                "paths": list(adoption.paths),
            },
        )
        rows.append(row)
    environment.save(update_fields=["hosts"])
    return rows


def _adoption(
    stacks: StackHost,
    environment: Environment,
    distribution: str,
    paths: tuple[str, ...],
    bucket: str,
) -> Adoption:
    taken = Distribution.objects.filter(remote_id=distribution).exclude(environment=environment)
    if taken.exists():
        raise Refused(
            "distribution-taken",
            f"The distribution {distribution} serves {taken.get().environment}.",
            "One distribution serves one environment.",
        )
    found = stacks.distribution(distribution)
    if found is None:
        raise Refused(
            "distribution-unknown",
            f"This account has no distribution {distribution}.",
            "List them with: aws cloudfront list-distributions",
        )
    environment.check_free(found.aliases)
    patterns = paths or tuple(p for p, domain in found.origins if _is_storage(domain, bucket))
    if not patterns:
        raise Refused(
            "paths-unknown",
            f"No behaviour of {distribution} leads to {bucket or 'an S3 bucket'}.",
            "Give the paths of pages with --path.",
        )
    return Adoption(found, patterns)


def _is_storage(domain: str, bucket: str) -> bool:
    """Whether an origin is the bucket: its domain begins with the bucket's name and `.s3`."""
    return domain.startswith(f"{bucket}.s3") if bucket else ".s3." in domain or ".s3-" in domain
