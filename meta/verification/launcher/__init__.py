"""The small program between a sandbox and the tool in it: it confines a child, starts it, watches it, ends it.

It runs in a fresh interpreter (`START`), imports only the standard library and itself, and judges nothing.
"""

from pathlib import Path

PLACE = Path(__file__).parent
# Warnings are off because a fork beside a second thread draws one; that thread holds no lock a child could need.
FLAGS = ("-I", "-S", "-W", "ignore")
START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from launcher.main import main; main()"
