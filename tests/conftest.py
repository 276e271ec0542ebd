"""What every test has: folders of its own instead of the developer's."""

import pytest

pytest_plugins = ["tests.aws.fixtures"]


@pytest.fixture(autouse=True)
def own_folders(settings, tmp_path):
    settings.EDGE_STORE_DIR = tmp_path / "store"
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATIC_ROOT.mkdir()
