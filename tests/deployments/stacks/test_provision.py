"""`provision` over the stand-in for AWS: stacks are created, used, updated, and fail."""

import json
from dataclasses import replace
from io import StringIO

import boto3
import pytest
from django.core.management import CommandError, call_command

from deployments.errors import PartlyChanged, Refused
from deployments.models import Distribution, Environment
from deployments.stacks.plan import Wanted, plan_stack
from deployments.stacks.provision import provision
from edge.backends import get_backend
from edge.backends.aws import clients
from edge.backends.aws.clients import Patience
from edge.backends.aws.stacks import get_stacks
from edge.errors import BackendUnavailable
from edge.functions.shipped import function_source
from edge.provisioning.stacks import ChangeSet, StackState
from edge.routing import RoutingDocument
from tests.deployments.sites import write_site

pytestmark = pytest.mark.django_db

CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d"


@pytest.fixture(scope="session")
def stacks(made_once):
    """CloudFormation as the command reaches it, made once: clients are dear."""
    return made_once(get_stacks)


@pytest.fixture(autouse=True)
def stand_in(aws_environ, stacks, monkeypatch):
    """Lead the command to an empty stand-in, which answers at once."""
    monkeypatch.setattr("edge.backends.aws.stacks.FIRST_PAUSE", 0.02)
    monkeypatch.setattr("qdn.management.commands.provision.get_stacks", lambda: stacks)


@pytest.fixture
def staging(db):
    return Environment.objects.get(name="staging")


@pytest.fixture
def production(db):
    return Environment.objects.get(name="production")


@pytest.fixture(scope="session")
def cloudformation(made_once):
    """Somebody outside the project, looking at stacks. Made once: clients are dear."""
    return made_once(lambda: boto3.client("cloudformation"))


def run(**options):
    """Run provision with --json; give what it wrote."""
    out = StringIO()
    call_command("provision", json=True, stdout=out, **{"environment": "staging", **options})
    return json.loads(out.getvalue())


def refused(**options):
    with pytest.raises(CommandError) as failed:
        run(**options)
    assert "\n" not in str(failed.value)
    return failed.value.returncode, str(failed.value)


class Ending:
    """A StackHost in front of the real one, whose stack ends in a way of its own."""

    def __init__(self, *, state=None, wait=None):
        self._real = get_stacks()
        self._state, self._wait = state, wait

    def __getattr__(self, name):
        return getattr(self._real, name)

    def state(self, name):
        return self._state or self._real.state(name)

    def wait(self, stack_id, **options):
        if isinstance(self._wait, BaseException):
            raise self._wait
        return self._wait


def stacks_there(cloudformation):
    return {
        item["StackName"]: item["StackStatus"]
        for item in cloudformation.describe_stacks()["Stacks"]
        if item["StackStatus"] != "DELETE_COMPLETE"
    }


@pytest.fixture
def distribution_config(plain_boto):
    def read(id_):
        return plain_boto.cloudfront.get_distribution_config(Id=id_)["DistributionConfig"]

    return read


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
    assert "All agrees: staging, production" in out.getvalue()
    release = Environment.objects.get(name="production").live.release
    seen = get_backend().viewer.fetch("a.example.com", "/book/")
    assert (seen.status, seen.headers["x-amz-meta-release"]) == (200, release.name)


def test_first_run_is_recorded(staging):
    outputs = run()["outputs"]
    staging.refresh_from_db()
    assert staging.stack["outputs"] == outputs
    row = staging.distributions.get()
    assert (row.remote_id, row.domain) == (outputs["DistributionId"], outputs["DistributionDomain"])
    assert row.paths == ["/track*", "*"]
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


def test_names_of_the_settings_are_used(settings):
    settings.EDGE_BUCKET, settings.EDGE_KEY_VALUE_STORE = "our-pages", "our-routes"
    outputs = run()["outputs"]
    assert (outputs["Bucket"], outputs["KeyValueStoreName"]) == ("our-pages", "our-routes")


def test_again_there_is_nothing_to_do(staging):
    first = run()
    answer = run()
    assert (answer["did"], answer["changes"]) == ("unchanged", [])
    assert answer["outputs"] == first["outputs"]
    assert Distribution.objects.count() == 1


def test_again_finishes_what_an_interrupted_run_did_not_record(staging):
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


def test_what_is_not_named_stays(staging, distribution_config):
    id_ = run(alias=["a.example.com"], certificate=CERTIFICATE)["outputs"]["DistributionId"]
    run(price_class="PriceClass_All")
    config = distribution_config(id_)
    assert aliases_of(config) == ["a.example.com"]
    assert config["PriceClass"] == "PriceClass_All"


def test_an_alias_taken_away_is_no_host_any_more(staging, distribution_config):
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
    monkeypatch.setattr(
        "edge.provisioning.template.function_source", lambda: "// another checkout\n"
    )
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
    assert not made & {"Bucket", "BucketPolicy", "KeyValueStore", "PagesCachePolicy"}
    for name in ("Bucket", "BucketDomain", "KeyValueStore", "PagesCachePolicy"):
        assert second["outputs"][name] == first[name]
    assert second["outputs"]["DistributionId"] != first["DistributionId"]
    run(environment="production", yes=True, price_class="PriceClass_All")
    assert set(stacks_there(cloudformation).values()) == {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


def test_shared_parts_of_a_deleted_stack_are_taken_again(cloudformation, stacks):
    first = run()["outputs"]
    cloudformation.delete_stack(StackName="qdn-staging")
    stacks.wait("qdn-staging")
    answer = run()
    assert answer["outputs"]["Bucket"] == first["Bucket"]
    assert "Bucket" not in {item["resource"] for item in answer["changes"]}
    assert Distribution.objects.get().remote_id == answer["outputs"]["DistributionId"]


class Older(Ending):
    """Stacks of a template that did not tell the bucket's domain yet."""

    def state(self, name):
        state = self._real.state(name)
        if state is None:
            return None
        older = {key: text for key, text in state.outputs.items() if key != "BucketDomain"}
        return replace(state, outputs=older)


def test_stacks_that_tell_too_little_are_brought_up_to_date_first(production):
    run()
    Environment.objects.update(stack={})
    with pytest.raises(Refused) as failed:
        plan_stack(Older(), production, Wanted(), bucket="", store="quickdumpnow")
    assert "BucketDomain" in failed.value.message
    assert failed.value.hint.endswith("manage.py provision --environment staging")


def test_a_part_shared_since_is_taken_with_the_next_update(production):
    outputs = run()["outputs"]
    run(environment="production", yes=True)

    class Before(Ending):
        def state(self, name):
            state = self._real.state(name)
            kept = {key: text for key, text in state.parameters.items() if key != "BucketDomain"}
            return replace(state, parameters=kept)

    plan = plan_stack(Before(), production, Wanted(), bucket="", store="quickdumpnow")
    assert plan.parameters["BucketDomain"] == outputs["BucketDomain"]
    assert plan.parameters["Bucket"] is None


def test_dry_run_of_a_first_stack_describes_it(cloudformation, staging):
    answer = run(dry_run=True)
    assert answer["did"] == "planned"
    assert {"Bucket", "Function", "Distribution"} <= {
        item["resource"] for item in answer["changes"]
    }
    assert "ApplicationRequests" not in {item["resource"] for item in answer["changes"]}
    assert stacks_there(cloudformation) == {}
    assert not Distribution.objects.exists()


def test_dry_run_of_an_update_shows_the_change_set_and_takes_it_back(
    cloudformation, distribution_config
):
    id_ = run()["outputs"]["DistributionId"]
    answer = run(dry_run=True, alias=["a.example.com"], certificate=CERTIFICATE)
    assert [item["resource"] for item in answer["changes"]] == ["Distribution"]
    assert aliases_of(distribution_config(id_)) == []
    # The first run's is listed there for good.
    waiting = cloudformation.list_change_sets(StackName="qdn-staging")["Summaries"]
    assert not [item for item in waiting if item["ExecutionStatus"] == "AVAILABLE"]


def test_production_is_not_touched_without_a_word(cloudformation):
    code, message = refused(environment="production")
    assert (code, "--yes" in message) == (1, True)
    assert stacks_there(cloudformation) == {}


@pytest.mark.parametrize(("answer", "created"), [("y", True), ("", False)])
def test_at_a_terminal_the_change_set_is_confirmed(cloudformation, monkeypatch, answer, created):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda question: answer)
    if created:
        assert run()["did"] == "created"
    else:
        assert refused()[0] == 1
    assert ("qdn-staging" in stacks_there(cloudformation)) == created


def test_a_failed_creation_is_told_and_put_back(plain_boto, cloudformation):
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
def test_what_cloudfront_would_refuse_is_refused_before(cloudformation, wrong):
    assert refused(**wrong)[0] == 1
    assert stacks_there(cloudformation) == {}


@pytest.mark.parametrize("source", ["/" * 10_241, "function handler(event) { let = ; }"])
def test_a_function_cloudfront_would_refuse_is_refused_before(cloudformation, monkeypatch, source):
    monkeypatch.setattr("edge.provisioning.template.function_source", lambda: source)
    code, message = refused()
    assert (code, "viewer_request.js" in message or "10240 bytes" in message) == (1, True)
    assert stacks_there(cloudformation) == {}


def test_a_host_of_another_environment_is_refused(staging):
    staging.hosts = ["a.example.com"]
    staging.save()
    code, message = refused(
        environment="production", alias=["a.example.com"], certificate=CERTIFICATE, yes=True
    )
    assert (code, "staging" in message) == (1, True)


@pytest.mark.parametrize("options", [{"path": ["/x/*"]}, {"adopt": ["E1"], "alias": ["a.b.com"]}])
def test_options_that_do_not_go_together_are_usage(options):
    assert refused(**options)[0] == 2


def test_no_answer_is_told_in_one_line(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "")
    monkeypatch.setattr(clients, "PATIENCE", Patience(attempts=1))
    monkeypatch.setattr("qdn.management.commands.provision.get_stacks", get_stacks)
    code, message = refused()
    assert (code, "did not answer" in message) == (4, True)
    assert message.endswith("Run: manage.py provision --json --environment=staging")


def test_a_stack_goes_with_the_pointer_strategy(staging):
    staging.strategy = "copy"
    staging.save()
    assert run(strategy="pointer")["did"] == "changed"  # the strategy alone
    answer = run(strategy="pointer", price_class="PriceClass_All")
    assert (answer["did"], answer["strategy"]) == ("created", "pointer")
    code, message = refused(strategy="copy")
    assert (code, "runs the edge function" in message) == (1, True)


def carry_out(environment, host):
    wanted = Wanted(price_class="PriceClass_All", strategy="pointer")
    plan = plan_stack(host, environment, wanted, bucket="", store="quickdumpnow")
    return provision(
        host, plan, agree=lambda changes: True, actor="test", reason="", say=lambda line: None
    )


@pytest.mark.parametrize("error", [BackendUnavailable("no answer"), KeyboardInterrupt()])
def test_an_operation_nobody_watched_names_the_command_that_goes_on(staging, error):
    with pytest.raises(PartlyChanged) as failed:
        carry_out(staging, Ending(wait=error))
    command = (
        "manage.py provision --environment staging --price-class=PriceClass_All "
        "--strategy=pointer --yes"
    )
    assert command in failed.value.hint
    assert run(price_class="PriceClass_All")["did"] == "unchanged"


def test_an_operation_that_ended_badly_names_the_command_that_mends_it(staging):
    with pytest.raises(PartlyChanged) as failed:
        carry_out(staging, Ending(wait=StackState("qdn-staging", "qdn-staging", "CREATE_FAILED")))
    assert "aws cloudformation delete-stack --stack-name qdn-staging" in failed.value.hint


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [
        ("UPDATE_IN_PROGRESS", "stack-busy", "when it is done"),
        ("UPDATE_ROLLBACK_FAILED", "stack-broken", "continue-update-rollback"),
        ("DELETE_FAILED", "stack-broken", "delete-stack"),
    ],
)
def test_a_stack_that_is_busy_or_broken_is_left_alone(staging, status, code, told):
    host = Ending(state=StackState("qdn-staging", "id", status))
    with pytest.raises(Exception) as failed:  # noqa: PT011 - two classes, told by their codes
        plan_stack(host, staging, Wanted(), bucket="", store="quickdumpnow")
    assert failed.value.code == code
    assert told in failed.value.hint


def test_a_change_set_cloudformation_cannot_make_is_told(staging):
    class Refusing(Ending):
        def propose(self, *args, **options):
            return ChangeSet("", "", (), failure="Template format error.")

    with pytest.raises(Refused, match="Template format error"):
        carry_out(staging, Refusing())


@pytest.fixture
def distribution(plain_boto):
    """A distribution somebody made by hand over an S3 bucket, with one path of another origin."""
    config = {
        "CallerReference": "by-hand",
        "Comment": "by hand",
        "Enabled": True,
        "Aliases": {"Quantity": 1, "Items": ["www.example.com"]},
        "Origins": {
            "Quantity": 2,
            "Items": [
                {
                    "Id": "pages",
                    "DomainName": "old-pages.s3.us-west-2.amazonaws.com",
                    "S3OriginConfig": {"OriginAccessIdentity": ""},
                },
                {
                    "Id": "shop",
                    "DomainName": "shop.example.com",
                    "CustomOriginConfig": {
                        "HTTPPort": 80,
                        "HTTPSPort": 443,
                        "OriginProtocolPolicy": "https-only",
                    },
                },
            ],
        },
        "DefaultCacheBehavior": {
            "TargetOriginId": "shop",
            "ViewerProtocolPolicy": "redirect-to-https",
        },
        "CacheBehaviors": {
            "Quantity": 2,
            "Items": [
                {
                    "PathPattern": path,
                    "TargetOriginId": "pages",
                    "ViewerProtocolPolicy": "redirect-to-https",
                }
                for path in ("/track/*", "/book/*")
            ],
        },
    }
    return plain_boto.cloudfront.create_distribution(DistributionConfig=config)["Distribution"]


def test_a_distribution_is_adopted_and_not_changed(plain_boto, distribution, distribution_config):
    id_ = distribution["Id"]
    before = plain_boto.cloudfront.get_distribution_config(Id=id_)
    answer = run(environment="production", adopt=[id_], yes=True)
    assert answer["did"] == "adopted"
    assert answer["distributions"] == [
        {"id": id_, "domain": distribution["DomainName"], "paths": ["/track/*", "/book/*"]}
    ]
    assert answer["hosts"][:2] == [distribution["DomainName"], "www.example.com"]
    assert plain_boto.cloudfront.get_distribution_config(Id=id_)["ETag"] == before["ETag"]


def test_adopting_names_the_bucket_another_stack_made_and_leaves_dns_alone(distribution):
    bucket = run()["outputs"]["Bucket"]
    steps = run(environment="production", adopt=[distribution["Id"]], path=["/*"], yes=True)["next"]
    assert f"EDGE_BUCKET={bucket}" in steps[0]
    assert not [step for step in steps if step.startswith("point")]


def test_a_second_one_is_added_and_not_probed(plain_boto, distribution):
    other = plain_boto.create_distribution("second")
    run(environment="production", adopt=[other], yes=True)
    answer = run(environment="production", adopt=[distribution["Id"]], yes=True)
    assert [item["id"] for item in answer["distributions"]] == [other, distribution["Id"]]
    assert answer["hosts"][-2:] == [distribution["DomainName"], "www.example.com"]
    assert answer["distributions"][0]["paths"] == ["*"]


def test_adopting_again_brings_it_up_to_date(distribution):
    run(environment="production", adopt=[distribution["Id"]], yes=True)
    answer = run(
        environment="production", adopt=[distribution["Id"]], path=["/dashboard/*"], yes=True
    )
    assert [item["paths"] for item in answer["distributions"]] == [["/dashboard/*"]]


def test_adopting_dry_writes_nothing(distribution):
    run(environment="production", adopt=[distribution["Id"]], dry_run=True)
    assert not Distribution.objects.exists()


def test_adopting_for_production_asks(distribution):
    assert refused(environment="production", adopt=[distribution["Id"]])[0] == 1
    assert not Distribution.objects.exists()


def test_an_unknown_distribution_is_refused():
    code, message = refused(adopt=["EUNKNOWN"])
    assert (code, "list-distributions" in message) == (1, True)


def test_a_distribution_that_leads_elsewhere_needs_its_paths(settings, distribution):
    settings.EDGE_BUCKET = "another-bucket"
    code, message = refused(adopt=[distribution["Id"]])
    assert (code, "--path" in message) == (1, True)


def test_a_distribution_of_another_environment_is_refused(distribution):
    run(adopt=[distribution["Id"]])
    code, message = refused(environment="production", adopt=[distribution["Id"]], yes=True)
    assert (code, "staging" in message) == (1, True)
