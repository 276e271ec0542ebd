"""`provision` with the AWS emulator: stacks are created, used, updated, and fail."""

import builtins
import json
import sys
from io import StringIO

import boto3
import pytest
from django.core.management import call_command

from deployments.models import Distribution, Environment
from edge.backends import get_backend
from edge.backends.aws import clients
from edge.backends.aws import stacks as aws_stacks
from edge.functions.shipped import function_source
from edge.provisioning import template
from edge.provisioning.shared_template import SHARED
from edge.routing import RoutingDocument
from qdn.management.commands import provision as command
from tests.deployments.sites import write_site
from tests.deployments.stacks.command import CERTIFICATE, refused, run

pytestmark = pytest.mark.usefixtures("stand_in")


def stacks_there(cloudformation):
    return {
        item["StackName"]: item["StackStatus"]
        for item in cloudformation.describe_stacks()["Stacks"]
        if item["StackStatus"] != "DELETE_COMPLETE"
    }


def aliases_of(config):
    return config.get("Aliases", {}).get("Items", [])


def test_first_run_creates_a_stack_that_can_be_used(settings, staging, distribution_config):
    answer = run()
    assert answer["did"] == "created"
    assert {change["action"] for change in answer["changes"]} == {"Add"}
    outputs = answer["outputs"]
    settings.EDGE_BACKEND = "aws"
    settings.EDGE_BUCKET = outputs["Bucket"]
    backend = get_backend()
    backend.objects.put("assets/a.css", b"a{}", content_type="text/css", cache_control="no-store")
    assert backend.objects.get("assets/a.css").body == b"a{}"
    route = RoutingDocument("staging", "20261121-004737-92076434").to_json()
    backend.keyvalues.update(puts={"env:staging": route}, if_match=backend.keyvalues.etag())
    assert backend.keyvalues.get("env:staging") == route
    assert backend.functions.live(outputs["FunctionName"]).source == function_source()
    config = distribution_config(outputs["DistributionId"])
    association = config["DefaultCacheBehavior"]["FunctionAssociations"]["Items"][0]
    assert association["FunctionARN"].endswith(outputs["FunctionName"])
    assert aliases_of(config) == []


def test_pages_go_through_the_stacks(settings, tmp_path):
    """From nothing to a release in production, by the commands the how-to names."""
    outputs = run()["outputs"]
    settings.EDGE_BACKEND, settings.EDGE_LOCAL_VIEWER = "aws", True
    settings.EDGE_BUCKET = outputs["Bucket"]
    out = StringIO()
    call_command("push", source=write_site(tmp_path / "site"), stdout=out)
    run(environment="production", alias=["a.example.com"], certificate=CERTIFICATE, yes=True)
    call_command("promote", yes=True, stdout=out)
    call_command("verify", stdout=out)
    assert "No drift: staging, production" in out.getvalue()
    release = Environment.objects.get(name="production").live.release
    seen = get_backend().viewer.fetch("a.example.com", "/book/")
    assert (seen.status, seen.headers["x-amz-meta-release"]) == (200, release.name)


def test_own_name_answers_nothing_once_there_is_an_alias(settings, tmp_path, staging):
    domain = run()["outputs"]["DistributionDomain"]
    settings.EDGE_BACKEND, settings.EDGE_LOCAL_VIEWER = "aws", True
    settings.EDGE_BUCKET = Environment.objects.get(name="staging").stack["outputs"]["Bucket"]
    source = write_site(tmp_path / "site")
    call_command("push", source=source, stdout=StringIO())
    fetch = get_backend().viewer.fetch
    assert fetch(domain, "/book/").status == 200
    run(alias=["staging.example.com"], certificate=CERTIFICATE)
    staging.refresh_from_db()
    assert staging.host == "staging.example.com"
    assert staging.address_of("staging.example.com") == domain
    release = staging.live.release
    call_command("promote", release=release.name, to="staging", yes=True, stdout=StringIO())
    assert fetch("staging.example.com", "/book/").status == 200
    seen = fetch(domain, "/book/")
    assert (seen.status, b"Book" in seen.body) == (503, False)


def test_previews_below_a_wildcard_are_answered_by_its_distribution(staging):
    aliases = ["a.example.com", "*.preview.localhost"]
    domain = run(alias=aliases, certificate=CERTIFICATE)["outputs"]["DistributionDomain"]
    staging.refresh_from_db()
    assert staging.address_of("topic.preview.localhost") == domain
    assert [staging.address_of(host) for host in ("b.example.com", domain)] == ["", ""]


def test_first_run_is_recorded(staging):
    outputs = run()["outputs"]
    staging.refresh_from_db()
    assert staging.stack["outputs"] == outputs
    row = staging.distributions.get()
    assert (row.remote_id, row.domain) == (outputs["DistributionId"], outputs["DistributionDomain"])
    assert row.paths == template.storage_patterns()
    assert staging.hosts == [outputs["DistributionDomain"], "staging.localhost"]


def test_the_bucket_is_closed(plain_boto):
    bucket = run()["outputs"]["Bucket"]
    s3 = plain_boto.s3
    closed = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert all(closed.values())
    policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    allowed = [item for item in policy["Statement"] if item["Effect"] == "Allow"]
    assert {item["Principal"]["Service"] for item in allowed} == {"cloudfront.amazonaws.com"}
    assert f"arn:aws:s3:::{bucket}/releases/*" in allowed[0]["Resource"]


def test_new_parts_get_the_names_of_the_settings(settings):
    settings.EDGE_BUCKET, settings.EDGE_KEY_VALUE_STORE = "our-pages", "our-routes"
    outputs = run()["outputs"]
    assert (outputs["Bucket"], outputs["KeyValueStoreName"]) == ("our-pages", "our-routes")


def test_second_run_has_nothing_to_do(staging):
    first = run()
    answer = run()
    assert (answer["did"], answer["changes"]) == ("unchanged", [])
    assert answer["outputs"] == first["outputs"]
    assert Distribution.objects.count() == 1


def test_second_run_records_what_an_interrupted_one_did_not(staging):
    outputs = run()["outputs"]
    Distribution.objects.all().delete()
    Environment.objects.filter(pk=staging.pk).update(stack={}, hosts=["staging.localhost"])
    run()
    staging.refresh_from_db()
    assert staging.distributions.get().remote_id == outputs["DistributionId"]
    assert staging.stack["outputs"] == outputs


def test_an_alias_is_one_change(staging, distribution_config):
    id_ = run()["outputs"]["DistributionId"]
    answer = run(alias=["Staging.example.com"], certificate=CERTIFICATE)
    assert [(item["action"], item["resource"]) for item in answer["changes"]] == [
        ("Modify", "Distribution")
    ]
    assert answer["outputs"]["DistributionId"] == id_
    config = distribution_config(id_)
    assert aliases_of(config) == ["staging.example.com"]
    assert config["ViewerCertificate"]["ACMCertificateArn"] == CERTIFICATE
    assert "staging.example.com" in answer["hosts"]
    assert any("staging.example.com" in step for step in answer["next"])


def test_only_new_hosts_need_dns_and_a_promotion(staging):
    run(alias=["a.example.com"], certificate=CERTIFICATE)
    answer = run(price_class="PriceClass_All")
    assert not [step for step in answer["next"] if "example.com" in step]
    answer = run(alias=["a.example.com", "b.example.com"])
    (step,) = [step for step in answer["next"] if step.startswith("point")]
    assert "b.example.com" in step


def test_options_left_out_keep_their_values(staging, distribution_config):
    id_ = run(alias=["a.example.com"], certificate=CERTIFICATE)["outputs"]["DistributionId"]
    run(price_class="PriceClass_All")
    config = distribution_config(id_)
    assert aliases_of(config) == ["a.example.com"]
    assert config["PriceClass"] == "PriceClass_All"


def test_the_wildcard_of_previews_is_an_alias_and_no_host(staging, distribution_config):
    wildcard = "*.preview.localhost"
    answer = run(alias=["a.example.com", wildcard], certificate=CERTIFICATE)
    id_ = answer["outputs"]["DistributionId"]
    assert aliases_of(distribution_config(id_)) == ["a.example.com", wildcard]
    assert wildcard not in answer["hosts"]
    domain = answer["outputs"]["DistributionDomain"]
    assert f"point {wildcard} at {domain} (CNAME or alias record)" in answer["next"]
    code, message = refused(
        environment="production", alias=[wildcard], certificate=CERTIFICATE, yes=True
    )
    assert (code, "staging" in message) == (1, True)


def test_removed_alias_is_no_longer_a_host(staging, distribution_config):
    id_ = run(alias=["a.example.com"], certificate=CERTIFICATE)["outputs"]["DistributionId"]
    answer = run(alias=[""])
    assert "a.example.com" not in answer["hosts"]
    assert aliases_of(distribution_config(id_)) == []


def test_an_application_gets_its_paths(staging, distribution_config):
    id_ = run(application="app.example.com")["outputs"]["DistributionId"]
    config = distribution_config(id_)
    targets = {
        item["PathPattern"]: item["TargetOriginId"] for item in config["CacheBehaviors"]["Items"]
    }
    assert targets["/admin/*"] == "application"
    assert targets["/track*"] == "storage"
    origins = {item["Id"]: item["DomainName"] for item in config["Origins"]["Items"]}
    assert origins["application"] == "app.example.com"


def test_an_update_leaves_a_published_function_alone(settings, staging, monkeypatch):
    outputs = run()["outputs"]
    settings.EDGE_BACKEND, settings.EDGE_BUCKET = "aws", outputs["Bucket"]
    functions = get_backend().functions
    published = function_source() + "// published later\n"
    etag = functions.stage(outputs["FunctionName"], published)
    functions.publish(outputs["FunctionName"], if_match=etag)
    monkeypatch.setattr(template, "function_source", lambda: "// another checkout\n")
    answer = run(price_class="PriceClass_200")
    assert [item["resource"] for item in answer["changes"]] == ["Distribution"]
    assert functions.live(outputs["FunctionName"]).source == published
    staged = boto3.client("cloudfront").get_function(
        Name=outputs["FunctionName"], Stage="DEVELOPMENT"
    )
    assert staged["FunctionCode"].read().decode() == published


def test_a_second_environment_takes_the_shared_parts(cloudformation):
    first = run()["outputs"]
    second = run(environment="production", yes=True)
    made = {item["resource"] for item in second["changes"]}
    assert not made & {*SHARED, "BucketPolicy"}
    for name in SHARED:
        assert second["outputs"][name] == first[name]
    assert second["outputs"]["DistributionId"] != first["DistributionId"]
    run(environment="production", yes=True, price_class="PriceClass_All")
    assert set(stacks_there(cloudformation).values()) == {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


def test_shared_parts_of_a_deleted_stack_are_used_again(cloudformation, stacks):
    first = run()["outputs"]
    cloudformation.delete_stack(StackName="qdn-staging")
    stacks.wait("qdn-staging")
    answer = run()
    assert answer["outputs"]["Bucket"] == first["Bucket"]
    assert "Bucket" not in {item["resource"] for item in answer["changes"]}
    assert Distribution.objects.get().remote_id == answer["outputs"]["DistributionId"]


def test_dry_run_describes_a_first_stack(cloudformation, staging):
    answer = run(dry_run=True)
    assert answer["did"] == "planned"
    assert {"Bucket", "Function", "Distribution"} <= {
        item["resource"] for item in answer["changes"]
    }
    assert "ApplicationRequests" not in {item["resource"] for item in answer["changes"]}
    assert stacks_there(cloudformation) == {}
    assert not Distribution.objects.exists()


def test_dry_run_shows_the_change_set_of_an_update_and_withdraws_it(
    cloudformation, distribution_config
):
    id_ = run()["outputs"]["DistributionId"]
    answer = run(dry_run=True, alias=["a.example.com"], certificate=CERTIFICATE)
    assert [item["resource"] for item in answer["changes"]] == ["Distribution"]
    assert aliases_of(distribution_config(id_)) == []
    # The first run's stays listed there.
    waiting = cloudformation.list_change_sets(StackName="qdn-staging")["Summaries"]
    assert not [item for item in waiting if item["ExecutionStatus"] == "AVAILABLE"]


def test_production_needs_a_confirmation(cloudformation):
    code, message = refused(environment="production")
    assert (code, "--yes" in message) == (1, True)
    assert stacks_there(cloudformation) == {}


@pytest.mark.parametrize(("answer", "created"), [("y", True), ("", False)])
def test_at_a_terminal_the_change_set_is_confirmed(cloudformation, monkeypatch, answer, created):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(builtins, "input", lambda question: answer)
    if created:
        assert run()["did"] == "created"
    else:
        assert refused()[0] == 1
    assert ("qdn-staging" in stacks_there(cloudformation)) == created


def test_failed_creation_is_reported_and_rolled_back(plain_boto, cloudformation):
    made = plain_boto.cloudfront.create_function(
        Name="qdn-viewer-request-staging",
        FunctionConfig={"Comment": "", "Runtime": "cloudfront-js-2.0"},
        FunctionCode=b"async function handler(event) { return event.request; }",
    )
    code, message = refused()
    assert code == 1
    assert "qdn-viewer-request-staging already exists" in message
    assert stacks_there(cloudformation) == {}
    assert plain_boto.s3.list_buckets()["Buckets"] == []
    plain_boto.cloudfront.delete_function(Name="qdn-viewer-request-staging", IfMatch=made["ETag"])
    assert run()["did"] == "created"


@pytest.mark.parametrize(
    "wrong",
    [
        {"alias": ["a.example.com"]},
        {"alias": ["https://a.example.com"], "certificate": CERTIFICATE},
        {"alias": ["*.example.com"], "certificate": CERTIFICATE},
        {"alias": ["localhost"], "certificate": CERTIFICATE},
        {"certificate": CERTIFICATE.replace("us-east-1", "eu-central-1")},
        {"application": "https://app.example.com/"},
        {"environment": "moon"},
    ],
    ids=["no-certificate", "scheme", "wildcard", "no-dot", "region", "url", "environment"],
)
def test_options_cloudfront_would_refuse_are_refused_first(cloudformation, wrong):
    assert refused(**wrong)[0] == 1
    assert stacks_there(cloudformation) == {}


@pytest.mark.parametrize("source", ["/" * 10_241, "function handler(event) { let = ; }"])
def test_function_cloudfront_would_refuse_is_refused_first(cloudformation, monkeypatch, source):
    monkeypatch.setattr(template, "function_source", lambda: source)
    code, message = refused()
    assert (code, "viewer_request.js" in message or "10,240 bytes" in message) == (1, True)
    assert stacks_there(cloudformation) == {}


def test_a_host_of_another_environment_is_refused(staging):
    staging.hosts = ["a.example.com"]
    staging.save()
    code, message = refused(
        environment="production", alias=["a.example.com"], certificate=CERTIFICATE, yes=True
    )
    assert (code, "staging" in message) == (1, True)


@pytest.mark.parametrize("options", [{"path": ["/x/*"]}, {"adopt": ["E1"], "alias": ["a.b.com"]}])
def test_options_that_exclude_each_other_are_usage_errors(options):
    assert refused(**options)[0] == 2


def test_outage_is_reported_in_one_line(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "")
    monkeypatch.setattr(clients, "PATIENCE", clients.Patience(attempts=1))
    monkeypatch.setattr(command, "get_stacks", aws_stacks.get_stacks)
    code, message = refused()
    assert (code, "did not answer" in message) == (4, True)
    assert message.endswith("Run: manage.py provision --json --environment=staging")


def test_stack_needs_the_pointer_strategy(staging):
    staging.strategy = "copy"
    staging.save()
    assert run(strategy="pointer")["did"] == "changed"  # the strategy alone
    answer = run(strategy="pointer", price_class="PriceClass_All")
    assert (answer["did"], answer["strategy"]) == ("created", "pointer")
    code, message = refused(strategy="copy")
    assert (code, "runs the edge function" in message) == (1, True)
