"""The system checks of the settings."""

import pytest

from qdn.checks import check_deployment, check_settings, unsafe_settings


def ids():
    return [message.id for message in check_settings(None)]


def test_development_needs_nothing(settings):
    settings.DEBUG = True
    assert ids() == []


def test_production_needs_a_secret_key(settings):
    settings.DEBUG = False
    settings.SECRET_KEY = settings.DEVELOPMENT_KEY
    assert "qdn.W002" in ids()
    settings.SECRET_KEY = "x" * 50
    assert "qdn.W002" not in ids()


@pytest.mark.parametrize("url", ["", "quickdumpnow.com", "ftp://quickdumpnow.com"])
def test_site_url_is_a_web_address(settings, url):
    settings.SITE_URL = url
    assert "qdn.E003" in ids()


def test_host_of_the_site_url_is_allowed(settings):
    settings.SITE_URL = "https://quickdumpnow.com"
    settings.ALLOWED_HOSTS = ["www.quickdumpnow.com"]
    assert "qdn.W001" in ids()


@pytest.mark.parametrize(
    "url",
    ["http://localhost:8000", "http://staging.localhost", "http://127.0.0.1:8000", "http://[::1]"],
)
def test_debug_on_this_machine_is_fine(settings, url):
    settings.DEBUG, settings.SITE_URL = True, url
    assert ids() == []


@pytest.mark.parametrize(
    "url",
    ["https://localhost", "http://example.com", "http://192.0.2.7", "http://localhost.example.com",
     "http://notlocalhost", "example.com", ""],
)  # fmt: skip
def test_debug_is_not_for_the_public(settings, url):
    settings.DEBUG, settings.SITE_URL = True, url
    assert [one.id for one in unsafe_settings()] == ["qdn.W003"]


def test_https_means_a_proxy(settings):
    settings.SECURE, settings.TRUSTED_PROXIES = True, 0
    assert "qdn.W004" in ids()
    settings.TRUSTED_PROXIES = 1
    assert "qdn.W004" not in ids()


def test_static_files_have_to_be_collected(settings):
    manifest = "whitenoise.storage.CompressedManifestStaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": manifest}}
    assert [one.id for one in check_deployment(None)] == ["qdn.W005"]
    (settings.STATIC_ROOT / "staticfiles.json").write_text("{}")
    assert check_deployment(None) == []


@pytest.mark.parametrize("name", ["PUBLISH_SECONDS", "HEARTBEAT_SECONDS", "STALLED_SECONDS"])
@pytest.mark.parametrize("value", [0, -1])
def test_intervals_of_background_work_are_positive(settings, name, value):
    setattr(settings, name, value)
    assert "qdn.E004" in ids()
