"""A terminal of tmux, as a person sits before one."""

import os
import re
import subprocess
import time
from pathlib import Path

PATIENCE_S = 40.0


class Tmux:
    """A program in a terminal of tmux.

    Args:
        directory: Where its socket is, and what the program keeps for its user.
        program: A line for the shell.
    """

    def __init__(self, directory: Path, program: str) -> None:
        self._socket = directory / "tmux"
        environment = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", "XDG_STATE_HOME": str(directory)}
        environment["XDG_CONFIG_HOME"] = str(directory)
        subprocess.run(
            [*self._tmux, "new-session", "-d", "-x", "120", "-y", "40", program], check=True, env=environment
        )

    @property
    def _tmux(self) -> tuple[str, ...]:
        return ("tmux", "-f", "/dev/null", "-S", str(self._socket))

    @property
    def screen(self) -> str:
        """The text on the screen."""
        return self._captured()

    @property
    def picture(self) -> str:
        """The text with its colours."""
        return self._captured("-e")

    def _captured(self, *how: str) -> str:
        captured = subprocess.run([*self._tmux, "capture-pane", "-p", *how], check=True, capture_output=True, text=True)
        return captured.stdout

    def keys(self, *keys: str) -> None:
        """Presses keys."""
        subprocess.run([*self._tmux, "send-keys", *keys], check=True)

    def type(self, text: str) -> None:
        """Types a text."""
        subprocess.run([*self._tmux, "send-keys", "-l", text], check=True)

    def resize(self, columns: int, lines: int) -> None:
        """Gives the terminal another size."""
        subprocess.run([*self._tmux, "resize-window", "-x", str(columns), "-y", str(lines)], check=True)

    def shows(self, words: str) -> str:
        """Waits until the screen shows something that a regular expression describes."""
        deadline = time.monotonic() + PATIENCE_S
        while not re.search(words, screen := self.screen):
            assert time.monotonic() < deadline, f"never shown: {words}\n{screen}"
            time.sleep(0.05)
        return screen

    def rests(self, seconds: float = 0.2) -> str:
        """Waits until nothing has changed on the screen for a moment: keys that edit may come after letters.

        Args:
            seconds: How long a moment is.

        Returns:
            The picture.
        """
        before = ""
        while (picture := self.picture) != before:
            before = picture
            time.sleep(seconds)
        return picture

    def end(self) -> None:
        """Ends the terminal, and so the program."""
        subprocess.run([*self._tmux, "kill-server"], check=False)
