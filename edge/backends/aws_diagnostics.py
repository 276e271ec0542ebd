"""What `doctor` asks of AWS: who we are, where, whether we may, and what time it is there."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.util import find_spec
from typing import Any

from edge.backends.aws_clients import AwsClients
from edge.backends.aws_errors import translated
from edge.errors import EdgeError
from edge.protocols import Diagnosis

# Signatures are refused beyond this (IAM guide, "Troubleshoot Signature Version 4").
MOST_SKEW = timedelta(minutes=5)
POLICY_HINT = "Attach what `manage.py iam_policy --role deploy` prints to these credentials."


class AwsDiagnostics:
    """The Diagnostics of the aws back end. Every call only reads."""

    def __init__(self, clients: AwsClients, bucket: str) -> None:
        self._clients = clients
        self._bucket = bucket

    def diagnose(self) -> list[Diagnosis]:
        found: list[Diagnosis] = []
        for name, look in (
            ("credentials", self._credentials),
            ("region", self._region),
            ("permissions", self._permissions),
        ):
            try:
                found.extend(look())
            except EdgeError as error:
                hint = POLICY_HINT if name == "permissions" else error.hint
                found.append(Diagnosis(name, ok=False, message=error.message, hint=hint))
        return [*found, _signatures()]

    def _credentials(self) -> list[Diagnosis]:
        with translated("Asking who we are"):
            answer = self._clients.sts.get_caller_identity()
        who = f"account {answer['Account']}, {answer['Arn']}"
        return [Diagnosis("credentials", ok=True, message=who), _clock(answer)]

    def _region(self) -> list[Diagnosis]:
        """Compare the region of the session with the bucket's: S3 answers only from its own."""
        ours = self._clients.session.region_name
        with translated("Looking for the bucket"):
            answer = self._clients.s3.head_bucket(Bucket=self._bucket)
        theirs = answer.get("BucketRegion") or ours
        return [
            Diagnosis(
                "region",
                ok=bool(ours) and ours == theirs,
                message=f"ours is {ours or 'not set'}, the bucket's {theirs or 'not told'}",
                hint=f"Set AWS_DEFAULT_REGION={theirs or 'to where the bucket is'}.",
            )
        ]

    def _permissions(self) -> list[Diagnosis]:
        """Try to list: what a missing object is told by. `doctor` tries writing itself."""
        with translated("Trying s3:ListBucket"):
            self._clients.s3.list_objects_v2(Bucket=self._bucket, MaxKeys=1)
        return [Diagnosis("permissions", ok=True, message="may list the bucket")]


def _clock(answer: Any) -> Diagnosis:
    """Compare our clock with the Date of an answer: a signature carries the time."""
    told = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    if not told:
        return Diagnosis("clock", ok=True, message="the endpoint does not tell the time")
    skew = abs(datetime.now(UTC) - parsedate_to_datetime(told))
    return Diagnosis(
        "clock",
        ok=skew < MOST_SKEW,
        message=f"{int(skew.total_seconds())} s off AWS's",
        hint="Set this machine's clock by NTP: signatures carry the time.",
    )


def _signatures() -> Diagnosis:
    """SigV4A, which the key-value store's data plane asks for, is in the CRT only."""
    there = find_spec("awscrt") is not None
    return Diagnosis(
        "SigV4A",
        ok=there,
        message="can be signed" if there else "cannot be signed: the package awscrt is missing",
        hint="Install the locked requirements: they hold boto3[crt].",
    )
