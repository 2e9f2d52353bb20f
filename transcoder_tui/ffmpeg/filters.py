"""The filter graphs of a channel: the picture is decoded and deinterlaced once, then scaled for each rung."""

from collections.abc import Iterator
from fractions import Fraction

from transcoder_tui.ffmpeg.inputs import Input
from transcoder_tui.ffmpeg.plan import Plan
from transcoder_tui.models.rendition import Rendition
from transcoder_tui.models.units import frame_rate, size_of

FILTER_THREADS = ("-filter_threads", "1", "-filter_complex_threads", "1")
"""Automatic thread counts grow with the machine's cores: 272 threads and 2 GB for one 1080p rung were measured."""


def build_filters(plan: Plan, read: Input) -> list[str]:
    """The graphs, one for each ``-filter_complex``; their ends are ``[v0]``, ``[v1]`` … and ``[a0]``, ``[a1]`` ….

    The picture and each sound track have a graph of their own, because FFmpeg makes a graph anew when the format of
    one of its inputs changes, such as from stereo to 5.1, and the others are not to notice. ``aresample`` has no
    ``first_pts``: made anew with it, it fills in silence from zero on.

    Every rung is forced to progressive 8-bit 4:2:0 with square pixels: 10-bit and 4:2:2 sources would otherwise end
    the H.264 encoder's high profile. Rungs of one frame rate share one ``fps`` filter, so that a GOP of so many frames
    begins at the same instant on each of them. What is copied has no part in it.

    Args:
        plan: The streams to make.
        read: The source.

    Returns:
        The graphs; none where everything is copied.
    """
    pictures = ";".join(_pictures(plan, read.video))
    return [*([pictures] if pictures else []), *_sounds(plan, read.audios)]


def _sounds(plan: Plan, tracks: tuple[str, ...]) -> Iterator[str]:
    for track, specifier in enumerate(tracks):
        labels = [
            f"[a{number}]"
            for number, sound in enumerate(plan.sounds)
            if sound.track == track and not sound.audio.is_copy
        ]
        if labels:
            yield f"[{specifier}]aresample=async=1{_split('asplit', labels)}"


def _pictures(plan: Plan, video: str) -> Iterator[str]:
    rates: dict[Fraction, list[Rendition]] = {}
    for rendition in plan.renditions:
        if not rendition.video.is_copy:
            rates.setdefault(frame_rate(rendition.video.fps), []).append(rendition)
    if not rates:
        return
    deinterlaced = f"[{video}]yadif=deint=interlaced"
    if len(rates) > 1:
        labels = [f"[r{number}]" for number in range(len(rates))]
        yield deinterlaced + _split("split", labels)
        heads = labels
    else:
        heads = [f"{deinterlaced},"]
    for head, (rate, renditions) in zip(heads, rates.items(), strict=True):
        numbers = [plan.video(rendition) for rendition in renditions]
        yield f"{head}fps={rate}" + _split("split", [f"[s{number}]" for number in numbers])
        for number, rendition in zip(numbers, renditions, strict=True):
            yield f"[s{number}]{_scaled(rendition)}format=yuv420p,setsar=1[v{number}]"


def _scaled(rendition: Rendition) -> str:
    if rendition.video.size is None:
        return ""
    width, height = size_of(rendition.video.size)
    return f"scale={width}:{height},"


def _split(name: str, labels: list[str]) -> str:
    return (f",{name}={len(labels)}" if len(labels) > 1 else "") + "".join(labels)
