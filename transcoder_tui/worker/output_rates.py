"""What the outputs and the renditions of a run take, as far as it is seen from outside FFmpeg, which does not tell."""

from collections.abc import Mapping
from pathlib import Path

from transcoder_tui.ffmpeg.command import HostFacts
from transcoder_tui.ffmpeg.ladders import HlsTree
from transcoder_tui.ffmpeg.outputs import hls_trees, recordings
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.output import LADDERS
from transcoder_tui.models.rendition import Rendition
from transcoder_tui.worker.outputs import Findings

STEP = 1000
"""Bits per second to which rates are rounded: finer ones would only make the live stream longer."""


class OutputRates:
    """Gathers them for one run.

    Args:
        spec: The channel as it runs.
        host: This machine at the start of the run.
    """

    def __init__(self, spec: ChannelSpec, host: HostFacts) -> None:
        self._spec = spec
        trees, records = iter(hls_trees(spec, host)), iter(recordings(spec, host))
        self._trees: dict[int, HlsTree] = {}
        self._files: dict[int, Path] = {}
        for place, output in enumerate(spec.outputs):
            if output.address.scheme in LADDERS:
                self._trees[place] = next(trees)
            elif output.address.scheme == "file":
                self._files[place] = next(records).path
        self._segments: Mapping[Path, float] = {}
        self._sizes: dict[Path, tuple[float, int]] = {}
        self._growth: dict[Path, float] = {}

    def learn(self, found: Findings, now: float) -> None:
        """Takes in what a look at the files found at ``now`` (monotonic seconds)."""
        self._segments = found.rates
        for path, size in found.sizes.items():
            at, before = self._sizes.get(path, (now, size))
            if now > at and size >= before:
                self._growth[path] = (size - before) * 8 / (now - at)
            self._sizes[path] = (now, size)

    def of_outputs(self, speed: float | None) -> list[int | None]:
        """Bits per second of each output; empty where nothing is known of any.

        Args:
            speed: Media time per wall time, at which transport streams leave.
        """
        return _told([self._of_output(place, speed) for place in range(len(self._spec.outputs))])

    def of_renditions(self) -> list[int | None]:
        """Bits per second of each rendition with its sound; empty where nothing is known of any."""
        return _told([self._of_rendition(rendition) for rendition in self._spec.renditions])

    def _of_output(self, place: int, speed: float | None) -> float | None:
        output = self._spec.outputs[place]
        if output.is_transport_stream:
            # In tenths: that it is sent a hair slower in one second than in another is nothing to tell.
            return None if speed is None else self._spec.muxrate(output) * min(round(speed, 1), 1.0)
        if place in self._files:
            return self._growth.get(self._files[place])
        known = [self._segments[playlist] for playlist in self._playlists(place) if playlist in self._segments]
        return sum(known) if known else None

    def _playlists(self, place: int) -> tuple[Path, ...]:
        return self._trees[place].playlists if place in self._trees else ()

    def _of_rendition(self, rendition: Rendition) -> float | None:
        for tree in self._trees.values():
            for playlist, carried in tree.rungs.items():
                if carried.name == rendition.name and playlist in self._segments:
                    sounds = (name for name, track in tree.tracks.items() if track.audio == rendition.audio)
                    beside = [self._segments.get(sound, 0.0) for sound in sounds]
                    return self._segments[playlist] + max(beside, default=0.0)
        return None


def _told(rates: list[float | None]) -> list[int | None]:
    if all(rate is None for rate in rates):
        return []
    return [None if rate is None else round(rate / STEP) * STEP for rate in rates]
