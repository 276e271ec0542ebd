"""Distributions: CloudFront's invalidations and status."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from edge.backends.aws.errors import code_of, translated
from edge.backends.rules import checked_paths, reference_taken
from edge.limits import CLOUDFRONT

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

IN_PROGRESS = "InProgress"


class CloudFrontDistributions:
    """A Distribution: all distributions of the account."""

    def __init__(self, client: "CloudFrontClient") -> None:
        self._client = client

    def invalidate(self, distribution: str, paths: Iterable[str], *, reference: str) -> int:
        wanted = checked_paths(paths, CLOUDFRONT)
        if not wanted:
            return 0
        with translated(f"Invalidating paths of {distribution}"):
            try:
                self._client.create_invalidation(
                    DistributionId=distribution,
                    InvalidationBatch={
                        "CallerReference": reference,
                        "Paths": {"Quantity": len(wanted), "Items": wanted},
                    },
                )
            except ClientError as error:
                if code_of(error) == "InvalidationBatchAlreadyExists":
                    raise reference_taken(reference) from error
                raise
        return len(wanted)

    def in_progress(self, distribution: str) -> list[str]:
        with translated(f"Listing the invalidations of {distribution}"):
            return [
                path
                for id_ in self._unfinished(distribution)
                for path in self._paths(distribution, id_)
            ]

    def _unfinished(self, distribution: str) -> Iterator[str]:
        """Iterate over the ids of invalidations in progress.

        All invalidations ever made are listed, newest first, so reading stops at the first page
        without any in progress.
        """
        pages = self._client.get_paginator("list_invalidations")
        for page in pages.paginate(DistributionId=distribution):
            items = page["InvalidationList"].get("Items", [])
            found = [item["Id"] for item in items if item["Status"] == IN_PROGRESS]
            yield from found
            if not found:
                return

    def _paths(self, distribution: str, id_: str) -> list[str]:
        answer = self._client.get_invalidation(DistributionId=distribution, Id=id_)["Invalidation"]
        if answer["Status"] != IN_PROGRESS:
            return []
        return list(answer["InvalidationBatch"]["Paths"].get("Items", []))

    def status(self, distribution: str) -> str:
        with translated(f"Reading the distribution {distribution}"):
            return self._client.get_distribution(Id=distribution)["Distribution"]["Status"]
