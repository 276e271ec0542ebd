"""Policies allow exactly what the commands call: nothing is missing, and nothing is too much."""

import dataclasses
import fnmatch
from datetime import timedelta
from io import StringIO
from zipfile import ZipFile

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from deployments.invalidation import send
from deployments.models import Environment, Release, Strategy
from deployments.operations import incoming, uploads
from deployments.routing import functions
from edge.backends import get_backend
from edge.backends.aws import backend as aws_module
from edge.backends.aws import stacks as aws_stacks
from edge.functions.shipped import function_name, function_source
from edge.limits import CLOUDFRONT
from edge.provisioning.iam import Places, Role, write_policy
from qdn.backup.record import last_backup_age
from tests.aws.requests import ACCOUNT, needs, recorded
from tests.aws.stand_in import BUCKET, STORE
from tests.deployments.sites import write_site
from tests.tracking.builders import make_link
from tracking.links import revoke_link

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
STACKS = f"arn:aws:cloudformation:*:{ACCOUNT}:stack/qdn-*/*"
# Allowed although no call in these tests needs them, and why.
EXCEPTIONS = {
    # For requests with only a change set's name, the AWS reference does not say whether permission
    # is needed on the change set or on the stack.
    ("cloudformation:DeleteChangeSet", STACKS),
    ("cloudformation:DescribeChangeSet", STACKS),
    ("cloudformation:ExecuteChangeSet", STACKS),
}


@pytest.fixture
def places(aws, settings, monkeypatch):
    """Make distributions, and leave viewers' requests out of the record: they need no policy."""
    settings.EDGE_PROBE_SECONDS = 0
    environments = list(Environment.objects.all())
    ids = [aws.create_distribution(environment.name) for environment in environments]
    for environment, id_ in zip(environments, ids, strict=True):
        environment.distributions.create(remote_id=id_)
    make = aws_module.aws_backend.__wrapped__
    names = {"bucket": BUCKET, "key_value_store": STORE}
    outside = make(**names, local_viewer=True)

    def backend(**options):
        return dataclasses.replace(make(**names), viewer=outside.viewer, origins=outside.origins)

    monkeypatch.setattr(aws_module, "aws_backend", backend)
    return Places(
        bucket=BUCKET,
        account=ACCOUNT,
        stores=[aws.arn.rpartition("/")[2]],
        distributions=ids,
        functions=[function_name(environment.name) for environment in environments],
    )


@pytest.fixture
def calls(monkeypatch):
    with recorded(monkeypatch) as made:
        yield made


def run(*arguments):
    call_command(*arguments, stdout=StringIO())


def hold(role, places, calls, store=""):
    """Compare what was called with what a policy allows to callers outside of AWS."""
    needed = {need for call in calls for need in needs(*call, store)}
    grants = {
        (action, resource)
        for statement in write_policy(role, places)["Statement"]
        if "Condition" not in statement
        for action in statement["Action"]
        for resource in statement["Resource"]
    }
    missing = {need for need in needed if not any(covers(grant, need) for grant in grants)}
    assert not missing, f"the policy '{role}' lacks {sorted(missing)}"
    unused = {grant for grant in grants if not any(covers(grant, need) for need in needed)}
    assert unused <= EXCEPTIONS, f"the policy '{role}' allows more: {sorted(unused - EXCEPTIONS)}"


def covers(grant, need):
    return grant[0] == need[0] and fnmatch.fnmatchcase(need[1], grant[1])


def test_deploying(aws, places, calls, monkeypatch, settings, tmp_path):
    site = write_site(tmp_path / "site")
    run("push", "--source", str(site))
    run("promote", "--yes")
    run("preview", Release.objects.get().name)
    for state in ("on", "off"):
        run("maintenance", state, "--environment", "production", "--yes")
    (site / "index.html").write_text("<!doctype html><title>B</title>")
    run("push", "--source", str(site))
    newer = function_source() + "\n// newer\n"
    monkeypatch.setattr(functions, "function_source", lambda: newer)
    run("push_functions")
    run("promote", "--yes")
    run("rollback", "--yes")
    run("push_functions", "--environment", "production", "--yes")
    Environment.objects.filter(name="production").update(strategy=Strategy.COPY)
    # A rollback freezes what it left, so something newer is promoted.
    for extra in ("one.txt", "two.txt"):
        (site / extra).write_text("x")
        run("push", "--source", str(site))
        run("promote", "--yes")
    run("rollback", "--yes")
    run("invalidate", "/book/", "--yes")
    # With one wildcard at a time the invalidations in progress are read.
    monkeypatch.setattr(send, "PAUSE_SECONDS", 0)
    make = aws_module.aws_backend
    tight = dataclasses.replace(CLOUDFRONT, invalidation_wildcards=1)
    monkeypatch.setattr(
        aws_module, "aws_backend", lambda **options: dataclasses.replace(make(), limits=tight)
    )
    for environment in ("staging", "production") * 2:
        run("invalidate", "/book/*", "--environment", environment, "--yes")
    remove_a_release(site, settings)
    with pytest.raises(CommandError, match="only rebuilt into an empty one"):
        run("rebuild_history", "--dry-run")
    aws.s3.put_object(Bucket=BUCKET, Key=f"jobs/{'0' * 64}.json", Body=b"{}")
    run("prune", "--documents", "--yes")
    # It reports faults here (no task cluster is running) after having checked everything.
    with pytest.raises(CommandError, match="fault"):
        run("doctor")
    hold(Role.DEPLOY, places, reading(calls, aws), aws.arn)


def remove_a_release(site, settings):
    settings.PRUNE_KEEP_DAYS = settings.PRUNE_KEEP_NEWEST = 0
    (site / "assets/other.0123456789ab.css").write_text("other")
    run("push", "--source", str(site), "--no-deploy")
    run("prune", "--yes")
    Release.objects.filter(marked_at__isnull=False).update(marked_at=timezone.now() - DAY)
    run("prune", "--yes")


def test_reading(aws, places, monkeypatch, tmp_path):
    run("push", "--source", str(write_site(tmp_path / "site")))
    run("promote", "--yes")
    with recorded(monkeypatch) as calls:
        hold(Role.READ, places, reading(calls, aws), aws.arn)


def reading(calls, aws):
    """Run the commands that only read, which the role `deploy` may also do."""
    for command in ("status", "history", "releases", "metrics"):
        run(command)
    link = make_link(published_revision=1)
    aws.s3.put_object(Bucket=BUCKET, Key=link.key, Body=b"not what the job shows")
    with pytest.raises(CommandError, match="1 discrepancy"):
        run("verify")
    return calls


def test_the_application(aws, places, calls, tmp_path):
    link = make_link()
    run("publish_tracking")
    revoke_link(link=link, actor="olga", reason="lost")
    run("publish_tracking")
    run("publish_tracking", "--registry")
    run("import_jobs", "--registry")
    run("metrics")
    last_backup_age(get_backend().objects)  # for /readyz
    receive_an_upload(tmp_path / "site.zip")
    for environment in ("staging", "production"):
        key = f"{incoming.PREFIX}{environment}/site.zip"
        aws.s3.upload_file(str(tmp_path / "site.zip"), BUCKET, key)
    assert incoming.receive() == {"pushed": 1, "refused": 1}
    hold(Role.APPLICATION, places, calls)


def receive_an_upload(archive):
    with ZipFile(archive, "w") as output:
        output.writestr("index.html", "<!doctype html>")
    objects = get_backend().objects
    upload = uploads.keep(objects, archive)
    with uploads.opened(objects, upload) as found:
        assert found.read_bytes() == archive.read_bytes()
    uploads.remove(objects, upload)
    uploads.forget(objects)


def test_provisioning(aws_environ, plain_boto, calls, monkeypatch, settings):
    monkeypatch.setattr(aws_stacks, "FIRST_PAUSE", 0.02)
    run("provision", "--environment", "staging")
    run("provision", "--environment", "staging", "--dry-run", "--price-class", "PriceClass_All")
    run("provision", "--environment", "staging", "--price-class", "PriceClass_All")
    with pytest.raises(CommandError, match="protected"):
        run("provision", "--environment", "production")
    id_ = plain_boto.create_distribution("there before")
    run("provision", "--environment", "production", "--adopt", id_, "--path", "/*", "--yes")
    hold(Role.PROVISION, Places(bucket="", account=ACCOUNT), calls)
