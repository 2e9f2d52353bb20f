"""The terminal console: a client of the worker and nothing else."""

import os

# Frames a second at the most. Textual draws at once after a pause, but what comes within a frame of the picture before
# waits for the end of the next: at its own 60 a key that is pressed then is answered after 33 ms. Read at its import.
os.environ.setdefault("TEXTUAL_FPS", "500")
