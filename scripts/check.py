"""From a fresh machine to a checked project: `python3 scripts/check.py`.

Any Python can read this file, so that one that is too old can say so; the work is done in `_check.py`.
"""

import os
import sys

if sys.version_info < (3, 11):
    sys.exit(
        "error: this needs Python 3.11 or newer and this is Python %d.%d; see https://www.python.org/downloads/"
        % sys.version_info[:2]
    )

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # run as a file, from any folder

from scripts._check import main

if __name__ == "__main__":
    sys.exit(main())
