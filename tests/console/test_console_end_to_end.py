"""An operator's evening: a real console in tmux, a real worker, real FFmpegs, and nothing but the keyboard."""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tmux import PATIENCE_S, Tmux

COMMAND = (sys.executable, "-m", "transcoder_tui")


class Evening(Tmux):
    """A console and its worker.

    Args:
        directory: Where the worker's data are.
    """

    def __init__(self, directory: Path) -> None:
        self.data = directory / "data"
        super().__init__(directory, " ".join([*COMMAND, "--data-dir", str(self.data), "; echo LEFT; sleep 60"]))

    def fill(self, label: str, text: str) -> None:
        """Goes down to a field of the form, whose label begins the help below, and writes something else into it."""
        self.rests()
        self.shows(r"\n [A-Z][A-Za-z ]+: ")
        for _ in range(40):
            before = self._help
            if re.search(rf"^ {label}: ", before, re.MULTILINE):
                break
            self.keys("Down")
            deadline = time.monotonic() + 5
            while self._help == before and time.monotonic() < deadline:
                time.sleep(0.02)
            self.rests()
        for _ in range(5):
            self.rests()
            self.keys("End", "C-u")
            self.rests()
            self.type(text)
            self.rests()
            if text in self.screen:
                return
        raise AssertionError(f"{text} was not taken\n{self.screen}")

    def save(self) -> None:
        """Saves the form, agrees to what that does, and closes what is said of it afterwards."""
        self.shows("complete")
        self.keys("C-s")
        while True:
            screen = self.shows(r"y +Save|is stored|\n CPU .*load")
            if re.search(r"y +Save", screen):
                self.keys("y")
            elif "is stored" in screen:
                self.keys("Escape")
            else:
                return
            self.rests()

    @property
    def _help(self) -> str:
        return "\n".join(self.screen.splitlines()[34:39])

    def end(self) -> None:
        """Ends the worker too."""
        super().end()
        subprocess.run(
            [*COMMAND, "--data-dir", str(self.data), "worker", "stop", "--channels"], check=False, capture_output=True
        )


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Evening]:
    if shutil.which("tmux") is None:
        pytest.skip("needs tmux")
    evening = Evening(tmp_path)
    yield evening
    evening.end()


def streams(playlist: Path) -> set[str]:
    """What ffprobe finds in a ladder."""
    if shutil.which("ffprobe") is None:
        return {"video", "audio"} if playlist.exists() else set()
    told = subprocess.run(
        ["ffprobe", "-v", "error", "-of", "json", "-show_streams", playlist], capture_output=True, text=True
    )
    return {stream["codec_type"] for stream in json.loads(told.stdout or "{}").get("streams", [])}


@pytest.mark.long
@pytest.mark.timeout(400)  # a loaded machine draws slowly, and it waits for each field
def test_a_channel_from_nothing_its_fault_its_remedy_and_the_end_of_the_day(tmux: Evening) -> None:
    tmux.shows("No channels yet")

    tmux.keys("+")
    tmux.shows("New channel")
    tmux.fill("Name", "News")
    tmux.fill("Address", "test://bars?size=320x180&fps=25")
    tmux.fill("Size", "320x180")
    tmux.fill("Video bitrate", "300k")
    tmux.fill("GOP", "1s")
    tmux.keys("Down")
    tmux.fill("Address", "hls://news")
    tmux.keys("F6")
    tmux.shows("Output  2")
    tmux.fill("Address", "udp://127.0.0.1:15731")
    tmux.save()
    tmux.shows("on air +News")
    playlist = tmux.data / "hls" / "news" / "master.m3u8"
    deadline = time.monotonic() + PATIENCE_S
    while streams(playlist) != {"video", "audio"}:
        assert time.monotonic() < deadline, tmux.screen
        time.sleep(0.2)

    tmux.keys("e")
    tmux.shows("Address .*test://")
    tmux.fill("Address", "file://gone.ts")
    tmux.save()
    tmux.shows("error +News .*gone")
    tmux.keys("n")
    tmux.keys("l")
    tmux.shows("WORKER .*gone.ts")
    tmux.keys("l", "e")
    tmux.shows("Address .*file://gone.ts")
    tmux.fill("Address", "test://bars?size=320x180&fps=25")
    tmux.save()
    tmux.shows("on air +News")

    tmux.keys("c")
    tmux.shows("New channel")
    tmux.fill("Name", "Weather")
    tmux.fill("Size", "320x180")
    tmux.fill("Address", "hls://weather")
    tmux.keys("Down")
    tmux.fill("Address", "udp://127.0.0.1:15732")
    tmux.save()
    tmux.shows("on air +Weather")
    tmux.keys("*", "x")
    tmux.shows("2 channels")
    tmux.keys("y")
    tmux.shows("stopped +News")
    tmux.shows("stopped +Weather")
    tmux.keys("q")
    tmux.shows("No channel is on air[^?]*LEFT")


LINE_UP = """
version: 1
channels:
  - name: Bars
    sources: [{url: "test://bars?size=160x90&fps=25"}]
    renditions: [{name: 90p, video: {size: 160x90, fps: 25, bitrate: 100k, preset: ultrafast, gop: 1s}}]
    outputs: [{url: "udp://127.0.0.1:15733"}]
"""


def test_a_channel_is_seen_stopped_and_put_on_air_again(tmux: Evening, tmp_path: Path) -> None:
    tmux.shows("No channels yet")
    (tmp_path / "line-up.yaml").write_text(LINE_UP)
    tmux.keys("I")
    tmux.shows("Import")
    tmux.type(str(tmp_path / "line-up.yaml"))
    tmux.shows("line-up.yaml")
    tmux.keys("Enter")
    tmux.shows("Bars")
    tmux.keys("y")
    tmux.shows("on air +Bars")
    tmux.keys("x")
    tmux.shows("Cancel")
    tmux.keys("y")
    tmux.shows("stopped +Bars")
    tmux.keys("s")
    tmux.shows("on air +Bars")
    tmux.keys("q")
    tmux.shows("1 channel stays on air[^?]*LEFT")
