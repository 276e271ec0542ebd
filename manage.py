#!/usr/bin/env python
"""Django's command-line entry point."""

import gc
import os
import sys

# What a command imports stays: looking through it for garbage took a tenth of every start.
gc.set_threshold(100_000, 50, 50)

from django.core.management import execute_from_command_line  # noqa: E402

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qdn.settings")
    execute_from_command_line(sys.argv)
