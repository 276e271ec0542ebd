"""The CloudFormation template of one environment's stack, written as data.

All environments share one bucket and one key-value store: the edge function of production reads
`env:staging` too. The stack of the environment that was provisioned first owns these parts and
the cache policy. The other stacks take their names as parameters of the same logical names, so the
rest of the template is the same. The choice is made here and not by a CloudFormation condition: a
wrong parameter could otherwise remove the bucket from the stack that owns it, and change sets would
list parts that are not made. Shared parts are retained when their stack is deleted.

Values that may differ between two runs are parameters: host names, certificate, application origin,
price class, HSTS for subdomains.

The function is written once, with the stack, because a distribution can only refer to a published
function. After that `push_functions`, `promote` and `rollback` publish it, and CloudFormation must
never restore the first source. So an update passes in the function resource of the stack's present
template; CloudFormation sees no difference and leaves the function alone. Its drift detection
therefore shows the function's code as modified, as it should.

Sources: CloudFormation's resource reference (AWS::CloudFront::*, AWS::S3::*); the developer guide's
"Restrict access to an Amazon S3 origin" and "Use managed cache policies" (the fixed policy id).
"""

import re
from collections.abc import Iterable
from typing import Any

from edge.behaviours import (
    BEHAVIOURS,
    OFFER_PARAMETERS,
    PRIVATE_HEADERS,
    PUBLIC_HEADERS,
    STORED,
    STRICT_TRANSPORT,
    Behaviour,
    Headers,
    Origin,
    with_own_headers,
)
from edge.functions.shipped import function_name, function_source
from edge.provisioning.shared_template import SHARED, given, named, shared, shared_resources, when
from edge.serving_rules import ServingRules

Json = dict[str, Any]

FUNCTION = "Function"
OFFERS_POLICY = "OffersCachePolicy"
PRICE_CLASSES = ("PriceClass_100", "PriceClass_200", "PriceClass_All")
DEFAULT_BEHAVIOUR = "*"
ERROR_PAGE = "/errors/404.html"
# As long as a tracking document may be cached: a link that is opened too early soon works.
MISSING_SECONDS = 5
# The longest that the edge keeps a price or a free window.
OFFERS_SECONDS = 15
MANAGED_CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
# Headers with a field of their own in a response headers policy: its group, and its name.
SECURITY_FIELDS = {
    "content-security-policy": ("ContentSecurityPolicy", "ContentSecurityPolicy"),
    "referrer-policy": ("ReferrerPolicy", "ReferrerPolicy"),
    "x-frame-options": ("FrameOptions", "FrameOption"),
}
_CERTIFICATE = r"^(arn:aws[a-z-]*:acm:us-east-1:\d{12}:certificate/[\w-]+)?$"


def write_template(
    environment: str,
    *,
    owns_shared: bool,
    function: Json | None = None,
    rules: ServingRules = ServingRules(),  # noqa: B008 - immutable
) -> dict[str, Any]:
    """Return the template of an environment's stack.

    `function` is the function resource of the stack's present template, or None for a new stack.
    """
    parts = shared_resources() if owns_shared else {}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"QuickDumpNow: the edge of {environment}. Written by manage.py provision.",
        "Parameters": {
            **_parameters(),
            **(_owner_parameters() if owns_shared else _shared_parameters()),
        },
        "Conditions": _conditions(owns_shared=owns_shared),
        "Resources": {
            **parts,
            FUNCTION: function or _function(environment, owns_shared=owns_shared),
            "OriginAccessControl": _origin_access_control(),
            "PublicHeaders": _headers_policy("public", PUBLIC_HEADERS, rules),
            "PrivateHeaders": _headers_policy("private", PRIVATE_HEADERS, rules),
            "ApplicationRequests": _application_requests(),
            OFFERS_POLICY: _offers_policy(),
            "Distribution": _distribution(environment, rules, owns_shared=owns_shared),
        },
        "Outputs": _outputs(environment, owns_shared=owns_shared),
    }


def storage_patterns() -> list[str]:
    """Return the path patterns that lead to the pages."""
    return [item.pattern for item in STORED]


def _parameters() -> Json:
    text = {"Type": "String", "Default": ""}
    return {
        "Aliases": {
            **text,
            "Description": "Host names viewers use, with commas; the certificate must cover them.",
        },
        "CertificateArn": {
            **text,
            "AllowedPattern": _CERTIFICATE,
            "Description": "ACM certificate of the host names, from us-east-1.",
        },
        "ApplicationDomain": {
            **text,
            "AllowedPattern": r"^([a-z0-9-]+(\.[a-z0-9-]+)+)?$",
            "Description": "Where Django answers over https; empty: only pages.",
        },
        "PriceClass": {
            **text,
            "Default": PRICE_CLASSES[0],
            "AllowedValues": list(PRICE_CLASSES),
        },
        "HstsSubdomains": {
            **text,
            "Default": "false",
            "AllowedValues": ["false", "true"],
            "Description": "Whether browsers hold every subdomain to https too, for a year.",
        },
    }


def _owner_parameters() -> Json:
    return {
        "BucketName": {
            "Type": "String",
            "Default": "",
            "Description": "Name of the bucket to make; empty: CloudFormation chooses.",
        },
        "KeyValueStoreName": {
            "Type": "String",
            "MinLength": 1,
            "Description": "Name of the key-value store to make.",
        },
    }


def _shared_parameters() -> Json:
    return {
        name: {"Type": "String", "MinLength": 1, "Description": "From the stack that owns it."}
        for name in SHARED
    }


def _conditions(*, owns_shared: bool) -> Json:
    conditions = {
        "HasAliases": given("Aliases"),
        "HasCertificate": given("CertificateArn"),
        "HasApplication": given("ApplicationDomain"),
        "HoldsSubdomains": {"Fn::Equals": [{"Ref": "HstsSubdomains"}, "true"]},
    }
    if owns_shared:
        conditions["NamesBucket"] = given("BucketName")
    return conditions


def _function(environment: str, *, owns_shared: bool) -> Json:
    store = shared("KeyValueStore", owned=owns_shared)
    return {
        "Type": "AWS::CloudFront::Function",
        "Properties": {
            "Name": function_name(environment),
            "AutoPublish": True,
            "FunctionCode": function_source(),
            "FunctionConfig": {
                "Comment": f"Viewer requests of {environment}",
                "Runtime": "cloudfront-js-2.0",
                "KeyValueStoreAssociations": [{"KeyValueStoreARN": store}],
            },
        },
    }


def _origin_access_control() -> Json:
    return {
        "Type": "AWS::CloudFront::OriginAccessControl",
        "Properties": {
            "OriginAccessControlConfig": {
                "Name": named("bucket"),
                "OriginAccessControlOriginType": "s3",
                "SigningBehavior": "always",
                "SigningProtocol": "sigv4",
            }
        },
    }


def _headers_policy(suffix: str, defaults: Headers, rules: ServingRules) -> Json:
    """Return a response headers policy: CloudFront's own fields where it has them, else custom.

    It refuses headers that have a field of their own among the custom ones.
    """
    rest = dict(with_own_headers(defaults, rules.headers))
    security = {"StrictTransportSecurity": _strict_transport()}
    for name, (group, field) in SECURITY_FIELDS.items():
        if name in rest:
            security[group] = {field: rest.pop(name), "Override": True}
    if rest.pop("x-content-type-options", None):
        security["ContentTypeOptions"] = {"Override": True}
    config: Json = {"Name": named(suffix), "SecurityHeadersConfig": security}
    if rest:
        items = [{"Header": name, "Value": text, "Override": True} for name, text in rest.items()]
        config["CustomHeadersConfig"] = {"Items": items}
    return {
        "Type": "AWS::CloudFront::ResponseHeadersPolicy",
        "Properties": {"ResponseHeadersPolicyConfig": config},
    }


def _strict_transport() -> Json:
    max_age = re.search(r"max-age=(\d+)", STRICT_TRANSPORT[1])
    assert max_age is not None  # noqa: S101 - the table has it
    return {
        "AccessControlMaxAgeSec": int(max_age[1]),
        "IncludeSubdomains": when("HoldsSubdomains", True, False),
        "Override": True,
    }


def _application_requests() -> Json:
    """Pass everything but Host to Django, whose TLS certificate and router only know its own name.

    Django builds addresses from SITE_URL, so it does not need the viewer's host.
    """
    return {
        "Type": "AWS::CloudFront::OriginRequestPolicy",
        "Condition": "HasApplication",
        "Properties": {
            "OriginRequestPolicyConfig": {
                "Name": named("application"),
                "CookiesConfig": {"CookieBehavior": "all"},
                "HeadersConfig": {"HeaderBehavior": "allExcept", "Headers": ["host"]},
                "QueryStringsConfig": {"QueryStringBehavior": "all"},
            }
        },
    }


def _offers_policy() -> Json:
    """Keep answers of the application as long as they say, by the query parameters they have."""
    return {
        "Type": "AWS::CloudFront::CachePolicy",
        "Condition": "HasApplication",
        "Properties": {
            "CachePolicyConfig": {
                "Name": named("offers"),
                "MinTTL": 0,
                "DefaultTTL": 0,
                "MaxTTL": OFFERS_SECONDS,
                "ParametersInCacheKeyAndForwardedToOrigin": {
                    "EnableAcceptEncodingBrotli": True,
                    "EnableAcceptEncodingGzip": True,
                    "CookiesConfig": {"CookieBehavior": "none"},
                    "HeadersConfig": {"HeaderBehavior": "none"},
                    "QueryStringsConfig": {
                        "QueryStringBehavior": "whitelist",
                        "QueryStrings": list(OFFER_PARAMETERS),
                    },
                },
            }
        },
    }


def _distribution(environment: str, rules: ServingRules, *, owns_shared: bool) -> Json:
    answered = BEHAVIOURS if rules.application else STORED
    default = next(item for item in STORED if item.pattern == DEFAULT_BEHAVIOUR)
    storage = _storage_origin(owns_shared=owns_shared)
    return {
        "Type": "AWS::CloudFront::Distribution",
        "Properties": {
            "DistributionConfig": {
                "Comment": f"QuickDumpNow {environment}",
                "Enabled": True,
                "HttpVersion": "http2and3",
                "IPV6Enabled": True,
                "PriceClass": {"Ref": "PriceClass"},
                # An empty list parameter has one empty member, so a text is split instead.
                "Aliases": when("HasAliases", {"Fn::Split": [",", {"Ref": "Aliases"}]}),
                "ViewerCertificate": _viewer_certificate(),
                "Origins": when("HasApplication", [storage, _application_origin()], [storage]),
                "CacheBehaviors": when(
                    "HasApplication",
                    _before_default(answered, owned=owns_shared),
                    _before_default(STORED, owned=owns_shared),
                ),
                "DefaultCacheBehavior": _pages(default, owned=owns_shared),
                "CustomErrorResponses": _error_responses(),
            }
        },
    }


def _viewer_certificate() -> Json:
    own = {
        "AcmCertificateArn": {"Ref": "CertificateArn"},
        "MinimumProtocolVersion": "TLSv1.2_2021",
        "SslSupportMethod": "sni-only",
    }
    return when("HasCertificate", own, {"CloudFrontDefaultCertificate": True})


def _storage_origin(*, owns_shared: bool) -> Json:
    return {
        "Id": Origin.STORAGE.value,
        "DomainName": shared("BucketDomain", owned=owns_shared),
        "OriginAccessControlId": {"Ref": "OriginAccessControl"},
        # Required, and empty if an Origin Access Control signs.
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }


def _application_origin() -> Json:
    return {
        "Id": Origin.APPLICATION.value,
        "DomainName": {"Ref": "ApplicationDomain"},
        "CustomOriginConfig": {
            "OriginProtocolPolicy": "https-only",
            "OriginSSLProtocols": ["TLSv1.2"],
        },
    }


def _before_default(behaviours: Iterable[Behaviour], *, owned: bool) -> list[Json]:
    return [
        _behaviour(item, owned=owned) for item in behaviours if item.pattern != DEFAULT_BEHAVIOUR
    ]


def _behaviour(item: Behaviour, *, owned: bool) -> Json:
    made = _pages(item, owned=owned) if item.origin is Origin.STORAGE else _application(item)
    return {"PathPattern": item.pattern, **made}


def _pages(item: Behaviour, *, owned: bool) -> Json:
    policy = "PrivateHeaders" if item.headers == PRIVATE_HEADERS else "PublicHeaders"
    cache_policy = "ReleasesCachePolicy" if item.minimum_ttl else "PagesCachePolicy"
    function = {"Fn::GetAtt": [FUNCTION, "FunctionARN"]}
    return {
        "TargetOriginId": Origin.STORAGE.value,
        "ViewerProtocolPolicy": "redirect-to-https",
        "AllowedMethods": ["GET", "HEAD"],
        "Compress": True,
        "CachePolicyId": shared(cache_policy, owned=owned),
        "ResponseHeadersPolicyId": {"Ref": policy},
        "FunctionAssociations": [{"EventType": "viewer-request", "FunctionARN": function}],
    }


def _application(item: Behaviour) -> Json:
    shared_by_viewers = {
        "AllowedMethods": ["GET", "HEAD"],
        # It passes on its query parameters, and no cookie.
        "CachePolicyId": {"Ref": OFFERS_POLICY},
    }
    uncached = {
        "AllowedMethods": ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"],
        "CachePolicyId": MANAGED_CACHING_DISABLED,
        "OriginRequestPolicyId": {"Ref": "ApplicationRequests"},
    }
    return {
        "TargetOriginId": Origin.APPLICATION.value,
        "ViewerProtocolPolicy": "redirect-to-https",
        "Compress": True,
        **(shared_by_viewers if item.cached_by else uncached),
    }


def _error_responses() -> list[Json]:
    """Show the error page for missing objects, and cache no failures.

    This applies to the whole distribution, including the application's answers. 403 is left alone,
    because Django says in it why it refused a form.
    """
    missing = {
        "ErrorCode": 404,
        "ResponseCode": 404,
        "ResponsePagePath": ERROR_PAGE,
        "ErrorCachingMinTTL": MISSING_SECONDS,
    }
    failures = [{"ErrorCode": code, "ErrorCachingMinTTL": 0} for code in (500, 502, 503, 504)]
    return [missing, *failures]


def _outputs(environment: str, *, owns_shared: bool) -> Json:
    values: Json = {name: shared(name, owned=owns_shared) for name in SHARED}
    # Not Ref, which is the function's ARN.
    values["FunctionName"] = function_name(environment)
    values["DistributionId"] = {"Ref": "Distribution"}
    values["DistributionDomain"] = {"Fn::GetAtt": ["Distribution", "DomainName"]}
    return {name: {"Value": value} for name, value in values.items()}
