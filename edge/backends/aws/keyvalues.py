"""The key-value store: CloudFront KeyValueStore, data plane.

Source: the developer guide, "Work with key value data": every write needs If-Match with the ETag
of the whole store, which only the data plane's DescribeKeyValueStore returns.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from edge.backends.aws.errors import THROTTLED, code_of, translated
from edge.limits import CLOUDFRONT

if TYPE_CHECKING:
    from mypy_boto3_cloudfront_keyvaluestore import CloudFrontKeyValueStoreClient
    from mypy_boto3_cloudfront_keyvaluestore.type_defs import UpdateKeysResponseTypeDef

    from edge.backends.aws.clients import AwsClients

KEYS_A_PAGE = 50
WRITE_ATTEMPTS = 4
PAUSE_SECONDS = 0.5


class CloudFrontKeyValues:
    """A KeyValueStore, found by its name."""

    def __init__(
        self, clients: "AwsClients", name: str, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clients = clients
        self.name = name
        self._sleep = sleep
        self._arn = ""

    @property
    def arn(self) -> str:
        """The store's ARN, read once. Raises BackendUnavailable."""
        if not self._arn:
            with translated(f"Finding the key-value store {self.name}"):
                answer = self._clients.cloudfront.describe_key_value_store(Name=self.name)
            self._arn = answer["KeyValueStore"]["ARN"]
        return self._arn

    def etag(self) -> str:
        with translated("Reading the key-value store's ETag"):
            return self._reads.describe_key_value_store(KvsARN=self.arn)["ETag"]

    def get(self, key: str) -> str | None:
        with translated(f"Reading the key {key!r}"):
            try:
                return self._reads.get_key(KvsARN=self.arn, Key=key)["Value"]
            except ClientError as error:
                if code_of(error) != "ResourceNotFoundException":
                    raise
        # A missing store has the same code; it must not look like an empty one.
        self.etag()
        return None

    def items(self) -> dict[str, str]:
        pages = self._reads.get_paginator("list_keys")
        with translated("Listing the keys"):
            found = pages.paginate(KvsARN=self.arn, PaginationConfig={"PageSize": KEYS_A_PAGE})
            return {item["Key"]: item["Value"] for page in found for item in page.get("Items", [])}

    def update(self, *, puts: Mapping[str, str], deletes: Iterable[str] = (), if_match: str) -> str:
        gone = list(deletes)
        CLOUDFRONT.check_update(puts=puts, deletes=gone)
        arn = self.arn
        with translated("Writing the key-value store"):
            answer = self._unthrottled(
                lambda: self._clients.keyvalue_writes.update_keys(
                    KvsARN=arn,
                    IfMatch=if_match,
                    Puts=[{"Key": key, "Value": value} for key, value in puts.items()],
                    Deletes=[{"Key": key} for key in gone],
                )
            )
        return answer["ETag"]

    def _unthrottled(
        self, write: "Callable[[], UpdateKeysResponseTypeDef]"
    ) -> "UpdateKeysResponseTypeDef":
        """Write, and retry only if throttled, because then nothing was written.

        Any other error may have happened after the write, so it is raised, and the caller reads the
        store again.
        """
        for attempt in range(1, WRITE_ATTEMPTS):
            try:
                return write()
            except ClientError as error:
                if code_of(error) not in THROTTLED:
                    raise
                self._sleep(PAUSE_SECONDS * 2**attempt)
        return write()

    @property
    def _reads(self) -> "CloudFrontKeyValueStoreClient":
        return self._clients.keyvalues
