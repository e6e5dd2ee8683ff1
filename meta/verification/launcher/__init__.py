"""The small program between a sandbox and the tool in it: it confines a child, starts it, watches it, ends it.

It runs in a fresh interpreter (`START`) and judges nothing. Each start pays for what is imported here, so that is
little: no dataclasses, no typing, no pathlib, and json and socket only where something is told.
"""

import os

PLACE = os.path.dirname(os.path.abspath(__file__))
# Warnings are off because a fork beside a second thread draws one; that thread holds no lock a child could need.
FLAGS = ("-I", "-S", "-W", "ignore")
START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from launcher.main import main; main()"
