"""Makes the edge's errors of botocore's, each with a hint.

Source of the codes: botocore's service models of S3, CloudFront and its key-value store, and S3's
page "Error responses". AWS's own words are kept where they help (they name the permission that is
missing), and left out where a signature or a token is what went wrong.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import urllib3
from botocore import exceptions as boto
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from edge.errors import (
    BackendRefused,
    BackendUnavailable,
    EdgeError,
    InvalidationsInProgress,
    LimitExceeded,
    StaleEtag,
)

THROTTLED = frozenset({
    "BandwidthLimitExceeded", "LimitExceededException", "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled",
    "RequestThrottledException", "SlowDown", "Throttling", "ThrottlingException",
    "ThrottledException", "TooManyRequestsException", "429",
})  # fmt: skip
# The endpoint does not know the operation.
UNKNOWN_OPERATION = frozenset({
    "InvalidAction", "NoSuchOperation", "NoSuchResource", "NotImplemented", "UnknownOperation",
    "UnknownOperationException", "UnsupportedOperation", "405", "501",
})  # fmt: skip
DENIED = frozenset({
    "403", "AccessDenied", "AccessDeniedException", "AllAccessDisabled", "Forbidden",
})  # fmt: skip
# What was refused with these may go through later, though their status is that of a refusal.
_PASSING = frozenset({"IncompleteBody", "RequestTimeout", "RequestTimeoutException"})
_PASSING_STATUSES = frozenset({408, 409, 425, 429})
# The key-value store has a code for a stale ETag, and yet was seen to answer with this one.
_INVALID, _STALE = "ValidationException", "Pre-Condition failed"
MESSAGE_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a group of codes means to us. `quoted`: AWS's own words are told."""

    codes: frozenset[str]
    error: type[EdgeError]
    hint: str
    quoted: bool = True


def _kind(error: type[EdgeError], codes: str, hint: str, *, quoted: bool = True) -> _Kind:
    return _Kind(frozenset(codes.split()), error, hint, quoted)


_KINDS = (
    _kind(
        StaleEtag,
        "ConflictException PreconditionFailed InvalidIfMatchVersion FunctionAlreadyExists 412",
        "Read it again, decide again, then write.",
    ),
    _Kind(
        DENIED,
        BackendRefused,
        "Give these credentials the permission; the how-to for AWS lists all that are needed.",
    ),
    _kind(
        BackendRefused,
        "ExpiredToken ExpiredTokenException RequestExpired TokenRefreshRequired",
        "The credentials have expired: sign in again, or renew them.",
        quoted=False,
    ),
    _kind(
        BackendRefused,
        "InvalidAccessKeyId InvalidClientTokenId InvalidToken SignatureDoesNotMatch "
        "InvalidSignatureException UnrecognizedClientException AuthFailure MissingSecurityHeader "
        "IncompleteSignature MissingAuthenticationToken",
        "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, and the clock.",
        quoted=False,
    ),
    _kind(
        BackendRefused,
        "RequestTimeTooSkewed RequestInTheFuture",
        "This machine's clock is wrong: set it by NTP.",
    ),
    _kind(
        BackendRefused,
        "NoSuchBucket PermanentRedirect 301 AuthorizationHeaderMalformed "
        "IllegalLocationConstraintException",
        "Check EDGE_BUCKET and AWS_DEFAULT_REGION: the bucket must exist in that region.",
    ),
    _kind(
        BackendRefused,
        "EntityNotFound ResourceNotFoundException",
        "Check EDGE_KEY_VALUE_STORE, and that the environment's stack was created.",
    ),
    _kind(
        BackendRefused,
        "NoSuchDistribution",
        "Check the distribution ids of the environment.",
    ),
    _kind(
        InvalidationsInProgress,
        "TooManyInvalidationsInProgress",
        "Wait until the distribution has carried out earlier invalidations, then run it again.",
    ),
    _kind(
        LimitExceeded,
        "FunctionSizeLimitExceeded EntitySizeLimitExceeded EntityTooLarge KeyTooLongError "
        "MetadataTooLarge BatchTooLarge TooManyFunctions "
        "ServiceQuotaExceededException EntityLimitExceeded",
        "Make it smaller, or ask AWS for a higher quota.",
    ),
    _Kind(
        THROTTLED,
        BackendUnavailable,
        "AWS throttles these requests: wait a minute, then run it again.",
    ),
)

# A HEAD is answered without a body, so without a code: an expired token or another region is 400,
# a wrong key or clock 403, as what is denied is.
_UNTOLD = _kind(
    BackendRefused,
    "400 403",
    "S3 does not say why to who only asks whether an object is there: a permission is missing, the "
    "credentials have expired, or the region or the clock is wrong. Run: manage.py doctor",
    quoted=False,
)

# What went wrong on this side, or on the way: the first line that fits is told.
_OURS: tuple[tuple[tuple[type[Exception], ...], type[EdgeError], str, str], ...] = (
    (
        (
            boto.NoCredentialsError,
            boto.PartialCredentialsError,
            boto.CredentialRetrievalError,
            boto.MetadataRetrievalError,
            boto.NoAuthTokenError,
            boto.ProfileNotFound,
            boto.SSOError,
            boto.TokenRetrievalError,
        ),
        BackendRefused,
        "there are no credentials to use ({kind}).",
        "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or attach a role.",
    ),
    (
        (boto.NoRegionError, boto.InvalidRegionError),
        BackendRefused,
        "no region is named.",
        "Set AWS_DEFAULT_REGION to the bucket's region.",
    ),
    (
        (boto.MissingDependencyException,),
        BackendRefused,
        "{error}",
        "Install the locked requirements: boto3[crt] signs with it.",
    ),
    (
        (boto.FlexibleChecksumError, boto.IncompleteReadError, boto.ResponseStreamingError),
        BackendUnavailable,
        "the answer was cut short or damaged ({kind}).",
        "Run it again; if it fails the same way, see what stands between: a proxy, perhaps.",
    ),
    (
        (boto.HTTPClientError, boto.ConnectionError, urllib3.exceptions.HTTPError),
        BackendUnavailable,
        "the endpoint did not answer ({kind}).",
        "Check the network, and AWS_ENDPOINT_URL where it is set; then run it again.",
    ),
    (
        (boto.ParamValidationError,),
        BackendRefused,
        "boto3 takes no such value ({kind}).",
        "Check EDGE_BUCKET and EDGE_KEY_VALUE_STORE: each is a plain name.",
    ),
    ((BotoCoreError,), BackendRefused, "{kind}.", "Check the AWS_* variables."),
)


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raise the edge's errors instead of botocore's; `what` names the act: "Reading a key"."""
    try:
        yield
    except ClientError as error:
        raise from_client_error(what, error) from error
    except (BotoCoreError, urllib3.exceptions.HTTPError) as error:
        raise _from_library_error(what, error) from error
    except ResponseParserError as error:
        # Its text is the whole body, which is not AWS's.
        raise BackendUnavailable(
            f"{what} failed: what answered is not AWS ({type(error).__name__}).",
            "See what stands between: a proxy, a sign-in page, or AWS_ENDPOINT_URL.",
        ) from error


@contextmanager
def setting_up() -> Iterator[None]:
    """Raise the edge's errors while clients are made: botocore tells an odd endpoint apart."""
    with translated("Setting up the AWS clients"):
        try:
            yield
        except BotoCoreError:
            raise
        except ValueError as error:
            raise BackendRefused(
                f"Setting up the AWS clients failed: {error}.",
                "Check AWS_ENDPOINT_URL: expected http(s)://host, or nothing for AWS itself.",
            ) from error


def code_of(error: ClientError) -> str:
    """Give the code of an error the service answered with; one code for every stale ETag."""
    told = error.response.get("Error", {})
    code = str(told.get("Code", ""))
    is_stale = code == _INVALID and _STALE.lower() in str(told.get("Message", "")).lower()
    return "PreconditionFailed" if is_stale else code


def from_client_error(what: str, error: ClientError) -> EdgeError:
    """Make an edge error of what the service answered."""
    code = code_of(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    found = next((kind for kind in (_UNTOLD, *_KINDS) if code in kind.codes), None)
    found = found or next((kind for kind in _KINDS if str(status) in kind.codes), None)
    if found is None:
        told = _quoted(error, code or str(status))
        return _unknown(f"{what} failed: AWS answered {told}.", code, status)
    told = _quoted(error, code) if found.quoted else code
    return found.error(f"{what} failed: AWS answered {told}.", found.hint)


def _unknown(message: str, code: str, status: int) -> EdgeError:
    """Make an edge error of a code that is not in the table: the status says whose fault it is."""
    passes = status in _PASSING_STATUSES or code in _PASSING
    if status in range(400, 500) and not passes:
        hint = "The same is refused again: mend what AWS names, then run it again."
        return BackendRefused(message, hint)
    return BackendUnavailable(
        message, "Run it again; if it fails the same way, look at AWS's health page."
    )


def _quoted(error: ClientError, code: str) -> str:
    message = str(error.response.get("Error", {}).get("Message", ""))[:MESSAGE_CHARACTERS]
    return f"{code}: {message}".rstrip(" :.")


def _from_library_error(what: str, error: Exception) -> EdgeError:
    """Make an edge error of what went wrong on this side, or on the way."""
    _, kind, told, hint = next(line for line in _OURS if isinstance(error, line[0]))
    return kind(f"{what} failed: {told.format(kind=type(error).__name__, error=error)}", hint)
