#!/usr/bin/env python
"""The command line of the panel: `python manage.py help` lists the commands."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smmpanel.settings")
    from smmpanel.command_line import run

    run(sys.argv)
