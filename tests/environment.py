"""The environment of tests, set before Django reads its settings: development mode."""

import os

os.environ["DEBUG"] = "true"
