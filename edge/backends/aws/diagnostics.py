"""What `doctor` asks of AWS: who we are, where, whether we may, and what time it is there."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from edge.backends.aws.errors import code_of, translated
from edge.backends.aws.permissions import Permissions
from edge.errors import EdgeError
from edge.protocols import Diagnosis

if TYPE_CHECKING:
    from edge.backends.aws.clients import AwsClients
    from edge.backends.aws.keyvalues import CloudFrontKeyValues

# Signatures are refused beyond this (IAM guide, "Troubleshoot Signature Version 4").
MOST_SKEW = timedelta(minutes=5)
POLICY_HINT = "Attach what `manage.py iam_policy --role deploy` prints to these credentials."


class AwsDiagnostics:
    """The Diagnostics of the aws back end. No call changes anything."""

    def __init__(
        self, clients: "AwsClients", bucket: str, keyvalues: "CloudFrontKeyValues"
    ) -> None:
        self._clients = clients
        self._bucket = bucket
        self._permissions = Permissions(clients, bucket, keyvalues)

    def diagnose(self) -> list[Diagnosis]:
        """Look; without credentials that AWS takes, nothing more can be found out."""
        found = [_signatures(), *_told("credentials", self._credentials)]
        if not all(one.ok for one in found if one.name == "credentials"):
            return found
        return [*found, *_told("region", self._region), *_told("permissions", self._tried)]

    def _credentials(self) -> Iterator[Diagnosis]:
        with translated("Asking who we are"):
            answer = self._clients.sts.get_caller_identity()
        who = f"account {answer['Account']}, {answer['Arn']}"
        yield Diagnosis("credentials", ok=True, message=who)
        yield _clock(answer)

    def _region(self) -> Iterator[Diagnosis]:
        """Compare the region of the session with the bucket's: S3 answers only from its own."""
        ours = self._clients.session.region_name
        with translated("Looking for the bucket"):
            try:
                answer = self._clients.s3.head_bucket(Bucket=self._bucket)
            except ClientError as error:
                if code_of(error) not in {"404", "NoSuchBucket"}:
                    raise
                yield self._no_bucket()
                return
        theirs = answer.get("BucketRegion") or ours
        yield Diagnosis(
            "region",
            ok=bool(ours) and ours == theirs,
            message=f"ours is {ours or 'not set'}, the bucket's {theirs or 'not told'}",
            hint=f"Set AWS_DEFAULT_REGION={theirs or 'to where the bucket is'}.",
        )

    def _no_bucket(self) -> Diagnosis:
        message = f"there is no bucket {self._bucket!r}"
        hint = "Check EDGE_BUCKET: manage.py provision says what it has to be."
        return Diagnosis("region", ok=False, message=message, hint=hint)

    def _tried(self) -> Iterator[Diagnosis]:
        """Try the calls that deploying needs; one finding for each action that is denied."""
        tried = [(one, one.is_denied()) for one in self._permissions.tries()]
        denied = defaultdict[str, list[str]](list)
        for one, is_denied in tried:
            if is_denied:
                denied[one.action].append(one.subject)
        for action, subjects in denied.items():
            message = f"AWS denies {action} on {', '.join(subjects)}"
            yield Diagnosis("permissions", ok=False, message=message, hint=POLICY_HINT)
        if not denied:
            message = f"{len(tried)} calls were tried, none is denied"
            yield Diagnosis("permissions", ok=True, message=message)


def _told(name: str, look: Callable[[], Iterator[Diagnosis]]) -> Iterator[Diagnosis]:
    """Give what a look finds; what goes wrong in it is a finding."""
    try:
        yield from look()
    except EdgeError as error:
        yield Diagnosis(name, ok=False, message=error.message, hint=error.hint)


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
