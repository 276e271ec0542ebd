"""scratch"""
import json
from io import StringIO
import pytest
from django.core.management import call_command
from deployments.models import Environment, Strategy
from edge.backends.aws import aws_backend
from edge.shipped import function_source
from tests.aws.requests import recorded
from tests.deployments.sites import write_site
pytestmark = pytest.mark.django_db
def test_dump(aws, monkeypatch, settings, tmp_path):
    settings.EDGE_PROBE_SECONDS = 0
    for e in Environment.objects.all():
        e.distributions.create(remote_id=aws.create_distribution(e.name))
    aws_backend.cache_clear()
    out = {}
    def go(role, *a):
        n = len(calls)
        call_command(*a, stdout=StringIO())
        for s, o, p in calls[n:]:
            key = p.get("Key") or p.get("Prefix") or p.get("KvsARN") or p.get("Name") or p.get("Id") or p.get("StackName") or p.get("ChangeSetName") or ""
            src = p.get("CopySource", {}).get("Key", "")
            if o == "DeleteObjects": key = [i["Key"] for i in p["Delete"]["Objects"]]
            out.setdefault(role, {}).setdefault(f"{s}:{o}", set()).add(str(key).split("/2026")[0] + (" from " + src.split("/2026")[0] if src else ""))
    with recorded(monkeypatch) as calls:
        def push(mark, f=None):
            site = write_site(tmp_path / f"s{mark}", mark=mark)
            go("deploy", "push", "--source", str(site), "--yes")
            return site
        site = push("A"); go("deploy", "promote", "--yes")
        (site / "index.html").write_text("<!doctype html><title>x</title>")
        go("deploy", "push", "--source", str(site), "--yes")
        monkeypatch.setattr("deployments.functions.function_source", lambda: function_source() + "\n// newer\n")
        go("deploy", "push_functions"); go("deploy", "promote", "--yes"); go("deploy", "rollback", "--yes")
        for c in ("status", "history", "releases", "metrics"): go("read", c)
        Environment.objects.filter(name="production").update(strategy=Strategy.COPY)
        go("copy", "promote", "--yes")
        (site / "book/index.html").unlink(); 
        (site / "book").rmdir()
        (site / "extra.txt").write_text("x")
        go("copy", "push", "--source", str(site), "--yes")
        go("copy", "promote", "--yes")
        go("copy", "rollback", "--yes")
        settings.EDGE_BUCKET, settings.EDGE_KEY_VALUE_STORE = "other-bucket", "other-store"
        monkeypatch.setattr("edge.backends.stack.FIRST_PAUSE", 0.02)
        go("provision", "provision", "--environment", "staging", "--dry-run")
        go("provision", "provision", "--environment", "staging", "--yes")
        go("provision", "provision", "--environment", "staging", "--yes")
        go("provision", "provision", "--environment", "staging", "--yes", "--price-class", "PriceClass_All")
        go("provision", "provision", "--environment", "staging", "--dry-run", "--price-class", "PriceClass_200")
        go("provision", "provision", "--environment", "production", "--dry-run")
        go("provision", "provision", "--environment", "production", "--yes")
    aws_backend.cache_clear()
    for role, ops in out.items():
        print("==", role)
        for o, k in sorted(ops.items()): print("  ", o, sorted(k))
