"""The system checks of the edge."""

from edge.checks import check_settings


def ids(messages):
    assert all(message.hint for message in messages)
    return [message.id for message in messages]


def test_defaults_are_fine():
    assert ids(check_settings()) == []


def test_aws_with_a_bucket_is_fine(settings):
    settings.EDGE_BACKEND, settings.EDGE_BUCKET = "aws", "bucket"
    assert ids(check_settings()) == []


def test_unknown_backend(settings):
    settings.EDGE_BACKEND = "azure"
    assert ids(check_settings()) == ["edge.E001"]


def test_aws_without_a_bucket(settings):
    settings.EDGE_BACKEND, settings.EDGE_BUCKET = "aws", ""
    assert ids(check_settings()) == ["edge.E002"]


def test_viewer_url_is_a_web_address(settings):
    settings.EDGE_BACKEND, settings.EDGE_BUCKET = "aws", "bucket"
    settings.EDGE_VIEWER_URL = "d111.cloudfront.net"
    assert ids(check_settings()) == ["edge.E004"]
    settings.EDGE_VIEWER_URL = "https://d111.cloudfront.net"
    assert ids(check_settings()) == []


def test_local_viewer_is_for_development(settings):
    settings.EDGE_BACKEND, settings.EDGE_BUCKET = "aws", "bucket"
    settings.EDGE_LOCAL_VIEWER = settings.DEBUG = True
    assert ids(check_settings()) == []
    settings.DEBUG = False
    assert ids(check_settings()) == ["edge.W001"]


def test_store_that_cannot_be_written(settings, tmp_path):
    (tmp_path / "file").write_text("in the way")
    settings.EDGE_STORE_DIR = tmp_path / "file" / "store"
    assert ids(check_settings()) == ["edge.E003"]
