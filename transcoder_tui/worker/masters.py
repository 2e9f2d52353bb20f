"""Keeps the master playlist of a running ladder true: the bandwidth that its segments really take."""

import math
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from transcoder_tui.ffmpeg.ladders import HlsTree, Track
from transcoder_tui.ffmpeg.master import Sound, Subtitles, Variant, corrected, segments_of
from transcoder_tui.models.channel import MUX_MARGIN, MUX_OVERHEAD
from transcoder_tui.models.rendition import Rendition, Video
from transcoder_tui.worker.contents import Contents
from transcoder_tui.worker.subtitles import subtitles_of

FRAGMENTED = 1.05, 20_000
"""Container around the streams of an fMP4 segment: factor, and bits per second for the table of each frame."""
PACKETS = float(MUX_OVERHEAD), MUX_MARGIN
"""The same of a transport stream."""
LATEST = 20
"""Segments that are measured: more than come between two looks."""
FEW = 3
"""The last of them, of which the present bitrate is the mean."""
OVERDUE = 4
"""Segment lengths without another one after which nothing comes any more: players give up after three (RFC 8216)."""
STEP = 1000
"""Bits per second to which bandwidths are rounded up."""


class Masters:
    """The master playlists of one run. Reads and writes files: not for the event loop."""

    def __init__(self) -> None:
        self._rates: dict[Path, tuple[float, float]] = {}
        """Of each media playlist, the highest bitrate of a segment, and the average when it came."""
        self._latest: dict[Path, float] = {}
        self._contents = Contents()

    def correct(self, tree: HlsTree) -> None:
        """Measures the segments that are new, and writes the master playlist anew where that changes it."""
        try:
            text = tree.master.read_text()
        except FileNotFoundError:
            return
        for playlist in tree.playlists:
            self._measure(playlist)
        variants = {
            playlist.relative_to(tree.directory).as_posix(): self._variant(playlist, rendition, tree)
            for playlist, rendition in tree.rungs.items()
        }
        sounds = {
            playlist.relative_to(tree.directory).as_posix(): Sound(
                _name(track, tree.tracks.values()),
                0 if track.audio.is_copy else track.audio.channels,
                track.language,
            )
            for playlist, track in tree.tracks.items()
        }
        texts = [
            Subtitles(subtitle.playlist.relative_to(tree.directory).as_posix(), place, subtitle.language)
            for place, subtitle in enumerate(subtitles_of(tree), 1)
            if subtitle.playlist.exists()
        ]
        true = corrected(text, variants, sounds, texts)
        if true != text:
            unfinished = tree.master.with_suffix(".new")
            unfinished.write_text(true)
            unfinished.replace(tree.master)

    def latest(self, tree: HlsTree, now: float) -> dict[Path, float]:
        """Bits per second that the last segments of each media playlist take; nought where none has come for long.

        Args:
            tree: Whose playlists, which :meth:`correct` has measured.
            now: Seconds since the epoch.
        """
        found = {}
        for playlist in self._latest.keys() & {*tree.playlists}:
            with suppress(FileNotFoundError):
                age_s = now - playlist.stat().st_mtime
                found[playlist] = self._latest[playlist] if age_s < OVERDUE * tree.segment_s else 0.0
        return found

    def _measure(self, playlist: Path) -> None:
        try:
            segments = segments_of(playlist.read_text())[-LATEST:]
        except FileNotFoundError:
            return
        longest = max((segment.duration_s for segment in segments), default=0.0)
        rates = []
        for segment in segments:
            # What counts is half a target duration and more: RFC 8216, section 4.3.4.2.
            if segment.duration_s >= longest / 2 > 0:
                with suppress(FileNotFoundError):
                    rates.append((playlist.parent / segment.uri).stat().st_size * 8 / segment.duration_s)
        if rates:
            self._latest[playlist] = sum(rates[-FEW:]) / len(rates[-FEW:])
        if rates and max(rates) > self._rates.get(playlist, (0.0, 0.0))[0]:
            self._rates[playlist] = (max(rates), sum(rates) / len(rates))

    def _variant(self, playlist: Path, rendition: Rendition, tree: HlsTree) -> Variant:
        video, audio = rendition.video, rendition.audio
        peak, average = self._rates.get(playlist, (0.0, 0.0))
        beside = [self._rates.get(sound, (0.0, 0.0)) for sound, track in tree.tracks.items() if track.audio == audio]
        peak += max((rate for rate, _ in beside), default=0.0)
        average += max((rate for _, rate in beside), default=0.0)
        factor, margin = PACKETS if tree.output.container == "hls-ts" else FRAGMENTED
        nominal = (rendition.peak() + _burst(video, tree.segment_s)) * factor + margin
        content = self._contents.of_rung(playlist, tree)
        return Variant(_rounded(max(nominal, peak)), _rounded(average), 0 if video.is_copy else video.fps, content)


def _burst(video: Video, segment_s: float) -> float:
    """What a segment may take beyond the ceiling: all that a full VBV buffer held before, in bits per second."""
    return 0.0 if video.is_copy else video.peak * video.vbv / segment_s


def _rounded(rate: float) -> int:
    return math.ceil(rate / STEP) * STEP


def _name(track: Track, tracks: Iterable[Track]) -> str:
    """What players show: the language, where it tells the sounds of a rung apart."""
    same = [other for other in tracks if other.audio == track.audio and other.language == track.language]
    return track.language if track.language and len(same) == 1 else f"Sound {track.place + 1}"
