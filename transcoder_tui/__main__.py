"""``python -m transcoder_tui``, the same as ``transcoder-tui``."""

import sys

from transcoder_tui.cli import main

if __name__ == "__main__":
    sys.exit(main())
