"""What every test has: folders of its own instead of the developer's."""

import hypothesis
import pytest

# Neither time limit: on a machine with other work to do they tell of that and of nothing here.
hypothesis.settings.register_profile(
    "busy machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy machine")

pytest_plugins = ["tests.aws.fixtures"]


@pytest.fixture(autouse=True)
def own_folders(settings, tmp_path):
    settings.EDGE_STORE_DIR = tmp_path / "store"
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATIC_ROOT.mkdir()
