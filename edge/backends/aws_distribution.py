"""Distributions: CloudFront invalidations and status."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from edge.backends.aws_errors import code_of, translated
from edge.backends.paths import checked_paths, reference_taken

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient


class CloudFrontDistributions:
    """A Distribution for all of an account's distributions, by id."""

    def __init__(self, client: "CloudFrontClient") -> None:
        self._client = client

    def invalidate(self, distribution: str, paths: Iterable[str], *, reference: str) -> int:
        wanted = checked_paths(paths)
        if not wanted:
            return 0
        with translated(f"Invalidating {len(wanted)} paths of {distribution}"):
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

    def status(self, distribution: str) -> str:
        with translated(f"Looking at the distribution {distribution}"):
            return self._client.get_distribution(Id=distribution)["Distribution"]["Status"]
