"""The function host: CloudFront Functions, one for each environment.

Source: the developer guide, "Update functions": CreateFunction and UpdateFunction change only the
development stage; PublishFunction copies it to the live one. Each stage has its own ETag.
"""

import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError

from edge.backends.aws.errors import UNKNOWN_OPERATION, code_of, translated
from edge.backends.aws.keyvalues import CloudFrontKeyValues
from edge.errors import BackendUnavailable, StaleEtag
from edge.functions.shipped import digest_of
from edge.limits import CLOUDFRONT
from edge.protocols import FunctionTest, PublishedFunction
from edge.runtime.trials import check_source, run_locally

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient
    from mypy_boto3_cloudfront.literals import FunctionStageType
    from mypy_boto3_cloudfront.type_defs import (
        DescribeFunctionResultTypeDef,
        FunctionConfigTypeDef,
        FunctionSummaryTypeDef,
        KeyValueStoreAssociationTypeDef,
        TestResultTypeDef,
    )

RUNTIME: Literal["cloudfront-js-2.0"] = "cloudfront-js-2.0"
COMMENT = "QuickDumpNow: routes viewers to the live release"
STAGE_ATTEMPTS = 3
# The live stage may lag behind its publication.
READ_BACK_ATTEMPTS = 10
PAUSE_SECONDS = 1.0


class CloudFrontFunctions:
    """A FunctionHost. Every function is associated with the one key-value store."""

    def __init__(
        self,
        client: "CloudFrontClient",
        keyvalues: CloudFrontKeyValues,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._keyvalues = keyvalues
        self._sleep = sleep

    def live(self, name: str) -> PublishedFunction | None:
        found = self._read(name, "LIVE")
        if found is None:
            return None
        source, _ = found
        return PublishedFunction(name, source, digest_of(source))

    def stage(self, name: str, source: str) -> str:
        """Also raises StaleEtag if others keep staging the same function."""
        check_source(source)
        for _ in range(STAGE_ATTEMPTS - 1):
            try:
                return self._stage(name, source)
            except StaleEtag:
                continue  # perhaps it is our own write, whose response was lost: read again
        return self._stage(name, source)

    def test(self, name: str, event: Mapping[str, Any], *, if_match: str) -> FunctionTest:
        with translated(f"Testing the function {name}"):
            try:
                answer = self._client.test_function(
                    Name=name,
                    IfMatch=if_match,
                    Stage="DEVELOPMENT",
                    EventObject=json.dumps(event).encode(),
                )
            except ClientError as error:
                if code_of(error) not in UNKNOWN_OPERATION:
                    raise
                source = self._staged(name, if_match)
                return run_locally(source, event, self._keyvalues.items())
        trial = _trial(answer["TestResult"])
        CLOUDFRONT.check_utilization(trial.utilization)
        return trial

    def publish(self, name: str, *, if_match: str) -> None:
        """Publish, and wait until the live stage has the published source."""
        source = self._staged(name, if_match)
        with translated(f"Publishing the function {name}"):
            self._client.publish_function(Name=name, IfMatch=if_match)
        for attempt in range(READ_BACK_ATTEMPTS):
            live = self.live(name)
            if live and live.source == source:
                return
            self._sleep(PAUSE_SECONDS * bool(attempt))
        raise BackendUnavailable(
            f"The function {name} was published, but its live stage still has another source.",
            "Check it with: manage.py status",
        )

    def _stage(self, name: str, source: str) -> str:
        """Write the development stage unless it is right already, and return its ETag.

        The ETag is read back: boto3 does not find it in UpdateFunction's response, because its
        model calls the header `ETtag`.
        """
        self._write(name, source)
        found = self._read(name, "DEVELOPMENT")
        if found is None or found[0] != source:
            raise StaleEtag(f"The function {name} was staged by someone else.", "Stage it again.")
        return found[1]

    def _write(self, name: str, source: str) -> None:
        described = self._described(name, "DEVELOPMENT")
        config, code = self._config(), source.encode()
        with translated(f"Staging the function {name}"):
            if described is None:
                self._client.create_function(Name=name, FunctionConfig=config, FunctionCode=code)
            elif not self._is_staged(name, source, described["FunctionSummary"]):
                self._client.update_function(
                    Name=name,
                    IfMatch=described["ETag"],
                    FunctionConfig=config,
                    FunctionCode=code,
                )

    def _is_staged(self, name: str, source: str, summary: "FunctionSummaryTypeDef") -> bool:
        found = self._read(name, "DEVELOPMENT")
        return (
            found is not None
            and found[0] == source
            and _same(summary["FunctionConfig"], self._config())
        )

    def _staged(self, name: str, etag: str) -> str:
        """Return the source that was staged with an ETag. Raises StaleEtag."""
        found = self._read(name, "DEVELOPMENT")
        if found is None or found[1] != etag:
            raise StaleEtag(
                f"The function {name} is not staged, or was staged again by someone else.",
                "Stage it again.",
            )
        return found[0]

    def _read(self, name: str, stage: "FunctionStageType") -> tuple[str, str] | None:
        """Return source and ETag of a stage, or None."""
        with translated(f"Reading the function {name}"):
            try:
                answer = self._client.get_function(Name=name, Stage=stage)
            except self._client.exceptions.NoSuchFunctionExists:
                return None
            return answer["FunctionCode"].read().decode(), answer["ETag"]

    def _described(
        self, name: str, stage: "FunctionStageType"
    ) -> "DescribeFunctionResultTypeDef | None":
        with translated(f"Describing the function {name}"):
            try:
                return self._client.describe_function(Name=name, Stage=stage)
            except self._client.exceptions.NoSuchFunctionExists:
                return None

    def _config(self) -> "FunctionConfigTypeDef":
        store: KeyValueStoreAssociationTypeDef = {"KeyValueStoreARN": self._keyvalues.arn}
        return {
            "Comment": COMMENT,
            "Runtime": RUNTIME,
            "KeyValueStoreAssociations": {"Quantity": 1, "Items": [store]},
        }


def _same(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether two configurations run a function the same way; the comment does not matter."""
    return (found["Runtime"], _stores(found)) == (wanted["Runtime"], _stores(wanted))


def _stores(config: Mapping[str, Any]) -> Any:
    return config.get("KeyValueStoreAssociations", {}).get("Items", [])


def _trial(result: "TestResultTypeDef") -> FunctionTest:
    """Read the result of TestFunction. Any field may be missing, and the utilization is text."""
    output, utilization = result.get("FunctionOutput"), result.get("ComputeUtilization", "")
    return FunctionTest(
        output=json.loads(output) if output else None,
        error=result.get("FunctionErrorMessage", ""),
        utilization=int(utilization) if utilization.isdecimal() else None,
    )
