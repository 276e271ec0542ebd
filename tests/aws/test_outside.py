"""What somebody sees who knows AWS and nothing of this project: plain boto3, and the requests."""

import json
import os
import subprocess
import sys

import pytest

from edge.functions.shipped import function_name, function_source
from tests.aws.stand_in import ROOT, SETTINGS

pytestmark = pytest.mark.django_db
PRODUCTION, STAGING = function_name("production"), function_name("staging")
DOCUMENT_CACHE = "public, max-age=0, must-revalidate"


def test_documents_carry_type_cache_rule_release_and_digest(aws, shop):
    release = shop.push("A")
    page = aws.head(f"releases/{release}/book/index.html")
    assert page["ContentType"].startswith("text/html")
    assert page["CacheControl"] == DOCUMENT_CACHE
    assert page["Metadata"]["release"] == release
    assert len(page["Metadata"]["sha256"]) == 64


def test_shared_assets_are_immutable_and_name_no_release(aws, shop):
    shop.push("A")
    asset = aws.head("assets/site.0123456789ab.css")
    assert asset["ContentType"].startswith("text/css")
    assert asset["CacheControl"] == "public, max-age=31536000, immutable"
    assert "release" not in asset["Metadata"]


def test_copied_documents_look_like_uploaded_ones(aws, shop):
    shop.push("A")
    files = shop.folder / "site-A"
    (files / "index.html").write_text("<!doctype html><title>only this one changed</title>")
    second = shop.run("push", "--source", str(files))
    assert second["copied"] == 4
    page = aws.head(f"releases/{second['release']}/book/index.html")
    assert page["CacheControl"] == DOCUMENT_CACHE
    assert page["ContentType"].startswith("text/html")
    assert page["Metadata"]["release"] == second["release"]


def test_manifest_is_the_last_object_of_a_release(proxy, shop):
    proxy.clear()
    release = shop.push("A")
    puts = [r.path for r in proxy.seen if r.method == "PUT" and f"/releases/{release}/" in r.path]
    assert len(puts) == 6
    assert puts[-1].endswith(f"releases/{release}/manifest.json")
    assert all("manifest.json" not in path for path in puts[:-1])


def test_release_stands_before_the_switch_names_it(proxy, shop):
    proxy.clear()
    release = shop.push("A")
    written = [n for n, r in enumerate(proxy.seen) if r.method == "PUT" and release in r.path]
    updates = {n: r.body.decode() for n, r in enumerate(proxy.seen) if r.writes_keys}
    switches = [n for n, body in updates.items() if release in body]
    assert len(switches) == 1
    assert written[-1] < switches[0]


def test_switch_is_one_update_of_all_keys(aws, proxy, shop):
    release = shop.push("A")
    proxy.clear()
    shop.promote()
    (update,) = [request for request in proxy.seen if request.writes_keys]
    written = {put["Key"] for put in json.loads(update.body)["Puts"]}
    assert written >= {"env:production", "host:localhost", "host:127.0.0.1"}
    values = aws.values()
    assert {json.loads(values[key])["r"] for key in written if key != "preview"} == {release}


def test_live_function_is_the_shipped_source(aws, shop):
    shop.push("A")
    shop.promote()
    assert aws.live_function(STAGING) == aws.live_function(PRODUCTION) == function_source()
    found = aws.cloudfront.describe_function(Name=PRODUCTION, Stage="LIVE")
    config = found["FunctionSummary"]["FunctionConfig"]
    assert config["Runtime"] == "cloudfront-js-2.0"
    stores = config["KeyValueStoreAssociations"]["Items"]
    assert [store["KeyValueStoreARN"] for store in stores] == [aws.arn]


def test_promotion_and_rollback_carry_the_function_with_the_release(aws, shop, ship_function):
    first = shop.push("A")
    shop.promote()
    newer = function_source() + "\n// newer\n"
    ship_function(newer)
    shop.run("push_functions", "--environment", "staging", "--yes")
    assert (aws.live_function(STAGING), aws.live_function(PRODUCTION)) == (newer, function_source())
    second = shop.push("B")
    shop.promote()
    assert aws.live_function(PRODUCTION) == newer
    assert shop.run("rollback", "--yes")["release"] == first
    assert aws.live_function(PRODUCTION) == function_source()
    assert (shop.served("localhost"), shop.served("staging.localhost")) == ({first}, {second})


def test_promotion_costs_no_upload_and_the_same_for_any_size(proxy, shop):
    shop.push("A")
    proxy.clear()
    shop.promote()
    puts = [request.path for request in proxy.seen if request.method == "PUT"]
    assert not any("/releases/" in path or "/assets/" in path for path in puts)
    assert len(proxy.seen) < 40


SAVE_MEDIUM = """
import django; django.setup()
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
print(default_storage.save("photo.txt", ContentFile(b"a couch")))
print(default_storage.open("photo.txt").read())
"""


def test_media_share_bucket_and_credentials(aws, tmp_path):
    """In a process of its own, because settings are read once."""
    environ = {**os.environ, **SETTINGS, "DATA_DIR": str(tmp_path),
               "DJANGO_SETTINGS_MODULE": "qdn.settings"}  # fmt: skip
    saved = subprocess.run(
        [sys.executable, "-c", SAVE_MEDIUM], cwd=ROOT, env=environ, capture_output=True, check=True
    )
    assert saved.stdout.split(b"\n")[:2] == [b"photo.txt", b"b'a couch'"]
    assert aws.keys() == ["media/photo.txt"]
