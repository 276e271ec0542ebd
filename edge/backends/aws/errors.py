"""Translates botocore's errors into the edge's, each with a hint.

Source of the codes: botocore's service models of S3, CloudFront and its key-value store, and S3's
page "Error responses". AWS's message is quoted where it helps, for example because it names the
missing permission, and left out where a signature or token failed, because it may contain parts
of them.
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
# The endpoint does not implement the operation.
UNKNOWN_OPERATION = frozenset({
    "InvalidAction", "NoSuchOperation", "NoSuchResource", "NotImplemented", "UnknownOperation",
    "UnknownOperationException", "UnsupportedOperation", "405", "501",
})  # fmt: skip
DENIED = frozenset({
    "403", "AccessDenied", "AccessDeniedException", "AllAccessDisabled", "Forbidden",
})  # fmt: skip
# These may succeed later, although their status is that of a refusal.
_TRANSIENT = frozenset({"IncompleteBody", "RequestTimeout", "RequestTimeoutException"})
_TRANSIENT_STATUSES = frozenset({408, 409, 425, 429})
# The key-value store has a code for a stale ETag, but has been seen to answer with this one.
_INVALID, _STALE = "ValidationException", "Pre-Condition failed"
MESSAGE_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class _Kind:
    """The meaning of a group of codes. `quoted`: AWS's message is part of ours."""

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
        "Run it again.",
    ),
    _Kind(
        DENIED,
        BackendRefused,
        "Give these credentials the permission; the how-to for AWS lists all of them.",
    ),
    _kind(
        BackendRefused,
        "ExpiredToken ExpiredTokenException RequestExpired TokenRefreshRequired",
        "The credentials have expired: sign in again or renew them.",
        quoted=False,
    ),
    _kind(
        BackendRefused,
        "InvalidAccessKeyId InvalidClientTokenId InvalidToken SignatureDoesNotMatch "
        "InvalidSignatureException UnrecognizedClientException AuthFailure MissingSecurityHeader "
        "IncompleteSignature MissingAuthenticationToken",
        "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE, and the clock.",
        quoted=False,
    ),
    _kind(
        BackendRefused,
        "RequestTimeTooSkewed RequestInTheFuture",
        "This machine's clock is wrong: synchronize it with NTP.",
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
        "Check EDGE_KEY_VALUE_STORE and that the environment's stack was created.",
    ),
    _kind(
        BackendRefused,
        "NoSuchDistribution",
        "Check the distribution ids of the environment.",
    ),
    _kind(
        InvalidationsInProgress,
        "TooManyInvalidationsInProgress",
        "Wait until the distribution has completed earlier invalidations, then run it again.",
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
        "AWS is throttling these requests: wait a minute, then run it again.",
    ),
)

# The response to HEAD has no body and so no code. An expired token or a wrong region is 400; a
# wrong key or clock is 403, as a missing permission is.
_UNEXPLAINED = _kind(
    BackendRefused,
    "400 403",
    "S3 does not explain a refused HEAD: a permission is missing, the credentials have expired, or "
    "the region or the clock is wrong. Run: manage.py doctor",
    quoted=False,
)

# Errors on this side, or on the way to AWS: the first entry that matches is used.
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
        "no usable credentials were found ({kind}).",
        "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or attach a role.",
    ),
    (
        (boto.NoRegionError, boto.InvalidRegionError),
        BackendRefused,
        "no region is set.",
        "Set AWS_DEFAULT_REGION to the bucket's region.",
    ),
    (
        (boto.MissingDependencyException,),
        BackendRefused,
        "{error}",
        "Install the locked requirements: boto3[crt] needs it to sign.",
    ),
    (
        (boto.FlexibleChecksumError, boto.IncompleteReadError, boto.ResponseStreamingError),
        BackendUnavailable,
        "the response was truncated or damaged ({kind}).",
        "Run it again. If it fails the same way, check what is in between, such as a proxy.",
    ),
    (
        (boto.HTTPClientError, boto.ConnectionError, urllib3.exceptions.HTTPError),
        BackendUnavailable,
        "the endpoint did not answer ({kind}).",
        "Check the network, and AWS_ENDPOINT_URL if it is set; then run it again.",
    ),
    (
        (boto.ParamValidationError,),
        BackendRefused,
        "boto3 does not accept a value ({kind}).",
        "Check EDGE_BUCKET and EDGE_KEY_VALUE_STORE: both are plain names.",
    ),
    ((BotoCoreError,), BackendRefused, "{kind}.", "Check the AWS_* variables."),
)


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raise the edge's errors instead of botocore's. `what` is the action: "Reading a key"."""
    try:
        yield
    except ClientError as error:
        raise from_client_error(what, error) from error
    except (BotoCoreError, urllib3.exceptions.HTTPError) as error:
        raise _from_library_error(what, error) from error
    except ResponseParserError as error:
        # Its message is the whole body, which AWS did not write.
        raise BackendUnavailable(
            f"{what} failed: the response is not from AWS ({type(error).__name__}).",
            "Check what is in between: a proxy, a sign-in page, or AWS_ENDPOINT_URL.",
        ) from error


@contextmanager
def setting_up() -> Iterator[None]:
    """Raise the edge's errors while clients are made.

    For a malformed endpoint botocore raises ValueError, which is not one of its own errors.
    """
    with translated("Setting up the AWS clients"):
        try:
            yield
        except BotoCoreError:
            raise
        except ValueError as error:
            raise BackendRefused(
                f"Setting up the AWS clients failed: {error}.",
                "Check AWS_ENDPOINT_URL: expected http(s)://host, or unset for AWS itself.",
            ) from error


def code_of(error: ClientError) -> str:
    """Return the code of an error response; a stale ETag always has the same code."""
    details = error.response.get("Error", {})
    code = str(details.get("Code", ""))
    is_stale = code == _INVALID and _STALE.lower() in str(details.get("Message", "")).lower()
    return "PreconditionFailed" if is_stale else code


def from_client_error(what: str, error: ClientError) -> EdgeError:
    """Return the edge's error for an error response."""
    code = code_of(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    found = next((kind for kind in (_UNEXPLAINED, *_KINDS) if code in kind.codes), None)
    found = found or next((kind for kind in _KINDS if str(status) in kind.codes), None)
    if found is None:
        answer = _quoted(error, code or str(status))
        return _unknown(f"{what} failed: AWS answered {answer}.", code, status)
    answer = _quoted(error, code) if found.quoted else code
    return found.error(f"{what} failed: AWS answered {answer}.", found.hint)


def _unknown(message: str, code: str, status: int) -> EdgeError:
    """Return the edge's error for a code that is not in the table, by the status."""
    is_transient = status in _TRANSIENT_STATUSES or code in _TRANSIENT
    if status in range(400, 500) and not is_transient:
        return BackendRefused(message, "Fix the problem that AWS names, then run it again.")
    return BackendUnavailable(
        message, "Run it again. If it fails the same way, check AWS's health page."
    )


def _quoted(error: ClientError, code: str) -> str:
    message = str(error.response.get("Error", {}).get("Message", ""))[:MESSAGE_CHARACTERS]
    return f"{code}: {message}".rstrip(" :.")


def _from_library_error(what: str, error: Exception) -> EdgeError:
    """Return the edge's error for an error on this side, or on the way to AWS."""
    _, kind, text, hint = next(entry for entry in _OURS if isinstance(error, entry[0]))
    return kind(f"{what} failed: {text.format(kind=type(error).__name__, error=error)}", hint)
