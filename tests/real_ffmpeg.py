"""A channel's command run by a real FFmpeg, as the worker runs it."""

import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.command import Command, HostFacts, build_command
from transcoder_tui.ffmpeg.diagnosis import Diagnosis, Verdict
from transcoder_tui.ffmpeg.progress import Progress, ProgressParser
from transcoder_tui.ffmpeg.texts import Text
from transcoder_tui.models.channel import ChannelSpec


@dataclass
class Run:
    """One FFmpeg on air."""

    command: Command
    process: subprocess.Popen[bytes]
    log_file: Path
    progress_file: Path
    source: str

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    @property
    def progress(self) -> list[Progress]:
        return ProgressParser().feed(self.progress_file.read_bytes())

    @property
    def media_time(self) -> float:
        """Seconds of media since start."""
        return max((block.out_time_us or 0 for block in self.progress), default=0) / 1e6

    @property
    def complaints(self) -> list[str]:
        """Lines of the log that are errors."""
        return [line for line in self.log.splitlines() if "[error]" in line or "[fatal]" in line]

    def stop(self) -> int:
        """As the worker does: TERM, and a second one where the first is not enough."""
        for _ in range(2):
            self.process.send_signal(signal.SIGTERM)
            try:
                return self.process.wait(3)
            except subprocess.TimeoutExpired:
                continue
        self.process.kill()
        return self.process.wait()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def verdict(self, timeout_s: float = 30.0) -> Diagnosis:
        """Waits until it ends by itself, and says why."""
        exit_code = self.process.wait(timeout_s)
        reader = Verdict(self.source, self.command.secrets)
        for line in self.log.splitlines():
            reader.feed(line)
        return reader.result(exit_code, ours=False)


def put_on_air(
    spec: ChannelSpec,
    binary: Binary,
    host: HostFacts,
    directory: Path,
    name: str,
    codecs: Sequence[str] = (),
    texts: Sequence[Text] = (),
) -> Run:
    """Starts a channel whose directories are there; leaves ``NAME.log`` and ``NAME.progress`` behind."""
    log_file, progress_file = (directory / f"{name}.{kind}" for kind in ("log", "progress"))
    with log_file.open("ab") as log, progress_file.open("ab") as progress:
        command = build_command(spec, binary, replace(host, progress_fd=progress.fileno()), codecs=codecs, texts=texts)
        process = subprocess.Popen(
            command.argv,
            env=dict(command.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            pass_fds=(progress.fileno(),),
            cwd=directory,
        )
    return Run(command, process, log_file, progress_file, spec.sources[0].address.masked)
