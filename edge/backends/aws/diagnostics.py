"""What `doctor` asks AWS: account, region, permissions and time."""

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

# Beyond this, signatures are refused (IAM guide, "Troubleshoot Signature Version 4").
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
        """Make all checks, or only the first ones if AWS does not accept the credentials."""
        found = [_signatures(), *_checked("credentials", self._credentials)]
        if not all(one.ok for one in found if one.name == "credentials"):
            return found
        return [*found, *_checked("region", self._region), *_checked("permissions", self._trials)]

    def _credentials(self) -> Iterator[Diagnosis]:
        with translated("Asking who we are"):
            answer = self._clients.sts.get_caller_identity()
        who = f"account {answer['Account']}, {answer['Arn']}"
        yield Diagnosis("credentials", ok=True, message=who)
        yield _clock(answer)

    def _region(self) -> Iterator[Diagnosis]:
        """Compare the session's region with the bucket's: S3 only answers from its own."""
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
            message=f"ours is {ours or 'not set'}, the bucket's {theirs or 'unknown'}",
            hint=f"Set AWS_DEFAULT_REGION={theirs or 'to the region of the bucket'}.",
        )

    def _no_bucket(self) -> Diagnosis:
        message = f"the bucket {self._bucket!r} does not exist"
        hint = "Check EDGE_BUCKET: manage.py provision shows the right value."
        return Diagnosis("region", ok=False, message=message, hint=hint)

    def _trials(self) -> Iterator[Diagnosis]:
        """Try the calls that deploying needs; yield one finding for each denied action."""
        tried = [(one, one.is_denied()) for one in self._permissions.tries()]
        denied = defaultdict[str, list[str]](list)
        for one, is_denied in tried:
            if is_denied:
                denied[one.action].append(one.subject)
        for action, subjects in denied.items():
            message = f"AWS denies {action} on {', '.join(subjects)}"
            yield Diagnosis("permissions", ok=False, message=message, hint=POLICY_HINT)
        if not denied:
            message = f"{len(tried)} calls were tried, and none is denied"
            yield Diagnosis("permissions", ok=True, message=message)


def _checked(name: str, check: Callable[[], Iterator[Diagnosis]]) -> Iterator[Diagnosis]:
    """Yield the findings of a check; if it fails, that is a finding."""
    try:
        yield from check()
    except EdgeError as error:
        yield Diagnosis(name, ok=False, message=error.message, hint=error.hint)


def _clock(answer: Any) -> Diagnosis:
    """Compare our clock with the Date of an answer: signatures contain the time."""
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    if not date:
        return Diagnosis("clock", ok=True, message="the endpoint does not say the time")
    skew = abs(datetime.now(UTC) - parsedate_to_datetime(date))
    return Diagnosis(
        "clock",
        ok=skew < MOST_SKEW,
        message=f"differs from AWS's by {int(skew.total_seconds())} s",
        hint="Synchronise this machine's clock by NTP: signatures contain the time.",
    )


def _signatures() -> Diagnosis:
    """Check for SigV4A: the key-value store's data plane requires it, and only the CRT has it."""
    found = find_spec("awscrt") is not None
    return Diagnosis(
        "SigV4A",
        ok=found,
        message="available" if found else "not available: the package awscrt is missing",
        hint="Install the locked requirements, which include boto3[crt].",
    )
