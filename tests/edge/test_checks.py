"""The system checks of the edge and its back ends."""

import pytest

from edge.checks import check_settings


@pytest.fixture(autouse=True)
def development(settings):
    """Use the settings of a clean checkout; Django turns DEBUG off in tests."""
    settings.DEBUG = True


@pytest.fixture
def aws(settings):
    settings.EDGE_BACKEND, settings.EDGE_BUCKET = "aws", "bucket"


def ids():
    messages = check_settings()
    assert all(message.hint for message in messages)
    return [message.id for message in messages]


def test_defaults_are_fine():
    assert ids() == []


def test_unknown_back_end(settings):
    settings.EDGE_BACKEND = "azure"
    assert ids() == ["edge.E001"]
    assert "'local' or 'aws'" in check_settings()[0].msg


def test_local_store_is_writable(settings, tmp_path):
    (tmp_path / "file").write_text("in the way")
    settings.EDGE_STORE_DIR = tmp_path / "file" / "store"
    assert ids() == ["edge.E003"]


@pytest.mark.parametrize("name", [":memory:", "file:x?mode=memory"])
def test_processes_share_the_database_of_the_local_back_end(settings, monkeypatch, name):
    monkeypatch.setitem(settings.DATABASES["default"], "NAME", name)
    assert ids() == []
    settings.DEBUG = False
    assert ids() == ["edge.E005"]
    settings.EDGE_BACKEND, settings.EDGE_BUCKET = "aws", "bucket"
    assert ids() == []


@pytest.mark.usefixtures("aws")
def test_aws_with_a_bucket_is_fine():
    assert ids() == []


@pytest.mark.usefixtures("aws")
def test_aws_needs_a_bucket(settings):
    settings.EDGE_BUCKET = ""
    assert ids() == ["edge.E002"]


@pytest.mark.usefixtures("aws")
def test_viewer_url_is_a_web_address(settings):
    settings.EDGE_VIEWER_URL = "d111.cloudfront.net"
    assert ids() == ["edge.E004"]
    settings.EDGE_VIEWER_URL = "https://d111.cloudfront.net"
    assert ids() == []


@pytest.mark.usefixtures("aws")
def test_local_viewer_is_for_development(settings):
    settings.EDGE_LOCAL_VIEWER = True
    assert ids() == []
    settings.DEBUG = False
    assert ids() == ["edge.W001"]
