"""The system checks of the settings."""

import pytest

from qdn.checks import check_settings


def ids():
    return [message.id for message in check_settings(None)]


def test_development_needs_nothing(settings):
    settings.DEBUG = True
    assert ids() == []


def test_production_needs_a_secret_key(settings):
    settings.DEBUG = False
    settings.SECRET_KEY = settings.DEVELOPMENT_KEY
    assert "qdn.E001" in ids()
    settings.SECRET_KEY = "x" * 50
    assert "qdn.E001" not in ids()


@pytest.mark.parametrize("url", ["", "quickdumpnow.com", "ftp://quickdumpnow.com"])
def test_site_url_is_a_web_address(settings, url):
    settings.SITE_URL = url
    assert "qdn.E003" in ids()


def test_host_of_the_site_url_is_allowed(settings):
    settings.SITE_URL = "https://quickdumpnow.com"
    settings.ALLOWED_HOSTS = ["www.quickdumpnow.com"]
    assert "qdn.W001" in ids()
