#!/usr/bin/env python
"""Django's command-line entry point."""

import atexit
import gc
import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "qdn.settings")
    # Python searches all that was imported for garbage as it ends: a sixth of a short command.
    atexit.register(gc.freeze)
    try:
        execute_from_command_line(sys.argv)
    except Exception as error:
        from qdn.outages import end_command

        end_command(error, sys.argv[1:])
        raise
