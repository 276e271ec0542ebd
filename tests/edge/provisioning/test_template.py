"""The template: cfn-lint's view, and its paths, headers and caches."""

import json
from fnmatch import fnmatchcase

import pytest
from cfnlint.api import ManualArgs, lint

from edge.behaviours import BEHAVIOURS, PRIVATE_HEADERS, PUBLIC_HEADERS, Origin
from edge.functions.shipped import function_source
from edge.provisioning.shared_template import SHARED
from edge.provisioning.template import write_template

TEMPLATE_BYTES = 51_200  # CreateChangeSet, TemplateBody
BEHAVIOURS_AT_MOST = 25  # cache behaviours of a distribution, before asking for more
RETAINED = ("Bucket", "BucketPolicy", "KeyValueStore", "PagesCachePolicy", "ReleasesCachePolicy")


@pytest.fixture
def owner():
    return write_template("staging", owns_shared=True)


@pytest.fixture
def follower():
    return write_template("production", owns_shared=False)


def config(template):
    return template["Resources"]["Distribution"]["Properties"]["DistributionConfig"]


def chosen(value, *, condition):
    """Return one branch of an Fn::If."""
    _, then, otherwise = value["Fn::If"]
    return then if condition else otherwise


def headers_of(template, name):
    """Return the headers of a response headers policy, without HSTS."""
    written = template["Resources"][name]["Properties"]["ResponseHeadersPolicyConfig"]
    security = written["SecurityHeadersConfig"]
    lines = {
        "content-security-policy": security["ContentSecurityPolicy"]["ContentSecurityPolicy"],
        "referrer-policy": security["ReferrerPolicy"]["ReferrerPolicy"],
    }
    if "ContentTypeOptions" in security:
        lines["x-content-type-options"] = "nosniff"
    custom = written.get("CustomHeadersConfig", {"Items": []})["Items"]
    return lines | {item["Header"]: item["Value"] for item in custom}


@pytest.mark.parametrize("owns_shared", [True, False])
def test_cfn_lint_finds_nothing(owns_shared):
    text = json.dumps(write_template("staging", owns_shared=owns_shared))
    assert lint(text, config=ManualArgs(regions=["us-east-1", "eu-central-1"])) == []


def test_cfn_lint_finds_a_mistake(owner):
    config(owner)["HttpVersion"] = "http9"
    assert lint(json.dumps(owner), config=ManualArgs(regions=["us-east-1"]))


def test_template_fits_into_a_request(owner):
    assert len(json.dumps(owner).encode()) < TEMPLATE_BYTES


def test_shared_parts_are_resources_once_and_parameters_elsewhere(owner, follower):
    assert set(RETAINED) <= set(owner["Resources"])
    assert set(SHARED) <= set(follower["Parameters"])
    assert not set(SHARED) & set(follower["Resources"])
    assert set(SHARED) <= set(owner["Outputs"]) == set(follower["Outputs"])


@pytest.mark.parametrize("name", RETAINED)
def test_shared_parts_outlive_their_stack(owner, name):
    resource = owner["Resources"][name]
    assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
    assert resource["UpdateReplacePolicy"] == "Retain"


def test_behaviours_are_those_of_the_table_in_order(owner):
    written = chosen(config(owner)["CacheBehaviors"], condition=True)
    shown = [(item["PathPattern"], item["TargetOriginId"]) for item in written]
    assert [*shown, ("*", config(owner)["DefaultCacheBehavior"]["TargetOriginId"])] == [
        (item.pattern, item.origin.value) for item in BEHAVIOURS
    ]


def test_without_an_application_there_are_only_pages(owner):
    origins = chosen(config(owner)["Origins"], condition=False)
    behaviours = chosen(config(owner)["CacheBehaviors"], condition=False)
    assert [item["Id"] for item in origins] == ["storage"]
    assert {item["TargetOriginId"] for item in behaviours} == {"storage"}
    assert owner["Resources"]["ApplicationRequests"]["Condition"] == "HasApplication"


def test_pages_run_the_function_and_the_application_does_not(owner):
    for item in chosen(config(owner)["CacheBehaviors"], condition=True):
        is_page = item["TargetOriginId"] == Origin.STORAGE.value
        assert ("FunctionAssociations" in item) == is_page
        assert item["AllowedMethods"][:2] == ["GET", "HEAD"]
        is_kept = item["PathPattern"] == "/api/v1/windows"
        assert ("POST" in item["AllowedMethods"]) != (is_page or is_kept)


def test_prices_and_windows_are_kept_by_what_they_depend_on(owner):
    policy = cache_policy(owner, "/api/v1/windows")
    assert (policy["MinTTL"], policy["DefaultTTL"], policy["MaxTTL"]) == (0, 0, 15)
    key = policy["ParametersInCacheKeyAndForwardedToOrigin"]
    assert set(key["QueryStringsConfig"]["QueryStrings"]) == {
        "zip",
        "service",
        "load",
        "days",
        "lang",
    }
    assert key["CookiesConfig"] == {"CookieBehavior": "none"}
    assert owner["Resources"]["OffersCachePolicy"]["Condition"] == "HasApplication"


def test_headers_are_those_of_the_local_edge(owner):
    assert headers_of(owner, "PublicHeaders") == dict(PUBLIC_HEADERS)
    assert headers_of(owner, "PrivateHeaders") == dict(PRIVATE_HEADERS)
    track = next(
        item
        for item in chosen(config(owner)["CacheBehaviors"], condition=False)
        if fnmatchcase("/track/x", item["PathPattern"])
    )
    assert track["ResponseHeadersPolicyId"] == {"Ref": "PrivateHeaders"}


def test_hsts_leaves_subdomains_out_until_asked(owner):
    written = owner["Resources"]["PublicHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]
    transport = written["SecurityHeadersConfig"]["StrictTransportSecurity"]
    assert transport["AccessControlMaxAgeSec"] == 31_536_000
    assert chosen(transport["IncludeSubdomains"], condition=False) is False
    assert owner["Parameters"]["HstsSubdomains"]["Default"] == "false"


def cache_policy(owner, path):
    """Return the cache policy of the behaviour that answers a path."""
    items = chosen(config(owner)["CacheBehaviors"], condition=True)
    found = (item for item in items if fnmatchcase(path, item["PathPattern"]))
    behaviour = next(found, config(owner)["DefaultCacheBehavior"])
    name = behaviour["CachePolicyId"]["Ref"]
    return owner["Resources"][name]["Properties"]["CachePolicyConfig"]


@pytest.mark.parametrize("path", ["/", "/book/", "/data.json", "/track/x", "/track-staging/x"])
def test_files_of_a_release_are_kept_for_a_year_whatever_viewers_are_told(owner, path):
    policy = cache_policy(owner, path)
    assert {policy[name] for name in ("MinTTL", "DefaultTTL", "MaxTTL")} == {31_536_000}


@pytest.mark.parametrize(
    "path",
    ["/track/x.json", "/track-staging/x.json", "/assets/a.css", "/_next/static/a.js",
     "/_astro/a.js", "/_app/immutable/a.js", "/errors/404.html"],
)  # fmt: skip
def test_files_under_fixed_keys_are_kept_as_their_own_rule_says(owner, path):
    policy = cache_policy(owner, path)
    assert (policy["MinTTL"], policy["DefaultTTL"]) == (0, 0)


def test_behaviours_fit_into_a_distribution():
    assert len(BEHAVIOURS) - 1 <= BEHAVIOURS_AT_MOST


def test_missing_objects_and_failures_are_kept_for_seconds(owner):
    errors = {item["ErrorCode"]: item for item in config(owner)["CustomErrorResponses"]}
    assert errors[404]["ResponsePagePath"] == "/errors/404.html"
    assert errors[404]["ErrorCachingMinTTL"] <= 5
    assert 403 not in errors
    assert {errors[code]["ErrorCachingMinTTL"] for code in (500, 502, 503, 504)} == {0}


def test_only_distributions_may_read_and_only_what_viewers_may(owner):
    policy = owner["Resources"]["BucketPolicy"]["Properties"]["PolicyDocument"]
    read, listing, insecure = policy["Statement"]
    assert read["Action"] == "s3:GetObject"
    prefixes = {item["Fn::Sub"].partition("/")[2] for item in read["Resource"]}
    assert prefixes == {
        "assets/*", "errors/*", "jobs/*", "live/*", "releases/*",
    }  # fmt: skip
    assert listing["Action"] == "s3:ListBucket"
    for statement in (read, listing):
        assert statement["Principal"] == {"Service": "cloudfront.amazonaws.com"}
        assert "distribution/*" in json.dumps(statement["Condition"])
    assert insecure["Effect"] == "Deny"
    bucket = owner["Resources"]["Bucket"]["Properties"]
    assert all(bucket["PublicAccessBlockConfiguration"].values())


def test_new_stack_publishes_the_shipped_function(owner):
    function = owner["Resources"]["Function"]["Properties"]
    assert function["FunctionCode"] == function_source()
    assert function["AutoPublish"] is True
    assert function["Name"] == "qdn-viewer-request-staging"
    assert len(function["FunctionConfig"]["KeyValueStoreAssociations"]) == 1


@pytest.mark.parametrize("owns_shared", [True, False])
def test_outputs_have_the_name_of_the_function_and_not_its_arn(owns_shared):
    """On AWS, `Ref` of a function is its ARN; in the emulator it is the name."""
    outputs = write_template("staging", owns_shared=owns_shared)["Outputs"]
    assert outputs["FunctionName"]["Value"] == "qdn-viewer-request-staging"


def test_update_keeps_the_function_of_the_present_template():
    before = {"Type": "AWS::CloudFront::Function", "Properties": {"FunctionCode": "older"}}
    written = write_template("staging", owns_shared=True, function=before)
    assert written["Resources"]["Function"] == before


def test_viewers_get_modern_protocols(owner):
    written = config(owner)
    assert written["HttpVersion"] == "http2and3"
    assert written["IPV6Enabled"] is True
    own = chosen(written["ViewerCertificate"], condition=True)
    assert own["MinimumProtocolVersion"] == "TLSv1.2_2021"
    assert written["DefaultCacheBehavior"]["Compress"] is True
    assert written["DefaultCacheBehavior"]["ViewerProtocolPolicy"] == "redirect-to-https"
