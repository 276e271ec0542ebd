"""The project's settings with the URLs of bench/bare.py."""

from qdn.settings import *  # noqa: F403

ROOT_URLCONF = "bench.bare"
