"""First paint of the console against a bare Textual app, each in a process and a pseudo-terminal of its own.

By hand: ``python tests/bench/bench_console.py [RUNS]``. Prints the medians and their ratio; the console should stay
within about 1.3 times the bare app.
"""

import fcntl
import os
import pty
import select
import signal
import statistics
import struct
import sys
import termios
import time

BARE = """
from textual.app import App
from textual.widgets import Static
class Bare(App):
    def compose(self):
        yield Static("PAINTED")
Bare().run()
"""

CONSOLE = """
from transcoder_tui.console.app import run_console
def connect():
    from transcoder_tui.client.client import WorkerClient
    from pathlib import Path
    return WorkerClient(Path("/nonexistent/worker.sock"))
run_console(connect)
"""

TIMEOUT_S = 30.0


def first_paint(program: str, words: bytes) -> float:
    """Seconds from the start of the process until it writes ``words`` to its terminal."""
    begin = time.perf_counter()
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
        os.execv(sys.executable, [sys.executable, "-c", program])
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    seen = b""
    try:
        while words not in seen and time.perf_counter() - begin < TIMEOUT_S:
            if select.select([fd], [], [], 0.1)[0]:
                seen += os.read(fd, 65536)
        return time.perf_counter() - begin
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(fd)


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    bare: list[float] = []
    console: list[float] = []
    for _ in range(runs):
        bare.append(first_paint(BARE, b"PAINTED"))
        console.append(first_paint(CONSOLE, b"transcoder-tui"))
    print(f"bare Textual app  {statistics.median(bare) * 1000:6.0f} ms   (best {min(bare) * 1000:.0f})")
    print(f"console           {statistics.median(console) * 1000:6.0f} ms   (best {min(console) * 1000:.0f})")
    print(
        f"ratio             {statistics.median(console) / statistics.median(bare):6.2f}      of the medians of {runs}"
    )


if __name__ == "__main__":
    main()
