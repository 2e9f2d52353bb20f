"""Recordings: one file, or a series of files that each begin at a round time of day."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from transcoder_tui.ffmpeg.destination import APART, MUX_DELAY_US, RECOVERY, Destination, Job
from transcoder_tui.ffmpeg.facts import HostFacts
from transcoder_tui.ffmpeg.tee import option_list
from transcoder_tui.ffmpeg.transport import free_start_pid, picture_pids
from transcoder_tui.models.output import RECORDINGS, Output

BEGINNING = "%Y%m%dT%H%M%SZ"
"""How a file of a series tells in its name when it begins: strftime(3), in UTC."""


@dataclass(frozen=True)
class Recording:
    """What one ``file://`` output keeps on disk."""

    output: Output
    path: Path
    """The file; of a series, the name that its files begin with, and their ending."""

    @property
    def is_series(self) -> bool:
        """Whether it begins a new file from time to time."""
        return self.output.split is not None

    @cached_property
    def _name(self) -> re.Pattern[str]:
        return re.compile(rf"{re.escape(self.path.stem)}-\d{{8}}T\d{{6}}Z{re.escape(self.path.suffix)}")

    def owns(self, name: str) -> bool:
        """Whether a file of this name belongs to the series."""
        return self.is_series and self._name.fullmatch(name) is not None


def recording_of(output: Output, host: HostFacts, where: str) -> Recording:
    """What an output keeps on disk; ``where`` is its path in the document.

    Raises:
        HostFault: Where no media root is set.
        InvalidInput: Where the file lies below none of the media roots.
    """
    return Recording(output, host.media_file(output.address, f"{where}.url"))


def file(job: Job) -> Destination:
    """A recording. Only a series is opened again after a failure: one file would lose what it holds."""
    recording = recording_of(job.output, job.host, job.field)
    muxer, path = RECORDINGS[recording.path.suffix], recording.path
    options = _of_container(job, muxer)
    if job.output.split is None:
        return Destination(muxer, f"file:{path}", job.streams, "file", options, muxer != "mpegts", APART)
    named = str(path.with_suffix("")).replace("%", "%%") + f"-{BEGINNING}{path.suffix}"
    series = {
        "segment_format": muxer,
        "segment_format_options": option_list(options),
        "segment_time": f"{job.output.split:g}",
        "segment_atclocktime": "1",
        "strftime": "1",
        "reset_timestamps": "1",
    }
    return Destination("segment", f"file:{named}", job.streams, "file", series, muxer != "mpegts", RECOVERY)


def _of_container(job: Job, muxer: str) -> Mapping[str, str]:
    # FFmpeg collects 256 KiB before it writes to a file: ten seconds of a small picture, lost if it is killed.
    options = {"flush_packets": "1"}
    if muxer == "mpegts":
        options["max_delay"] = str(MUX_DELAY_US)
        if taken := list(picture_pids(job.spec, job.plan).values()):
            options["mpegts_start_pid"] = str(free_start_pid(taken))
    if muxer == "mp4":
        # A fragment for each GOP: a file whose writer was killed plays up to there. The header waits for the first
        # packets: without them FFmpeg refuses AC-3, and the first picture lasts as long again as AAC's priming.
        options["movflags"] = "+frag_keyframe+delay_moov+default_base_moof"
    return options
