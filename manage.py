#!/usr/bin/env python
"""Django's command-line entry point."""

import atexit
import gc
import os
import sys

# What a command imports stays: looking through it for garbage took a tenth of every start, and up
# to a third of a second at its end, where all of it goes with the process.
gc.set_threshold(100_000, 50, 50)
atexit.register(gc.freeze)

from django.core.management import execute_from_command_line  # noqa: E402

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qdn.settings")
    execute_from_command_line(sys.argv)
