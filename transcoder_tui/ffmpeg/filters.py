"""The filter graphs of a channel: the picture is decoded and deinterlaced once, then scaled for each rung."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from transcoder_tui.ffmpeg.drawing import Drawing
from transcoder_tui.ffmpeg.encoders import Choice
from transcoder_tui.ffmpeg.graph import shared_graph
from transcoder_tui.ffmpeg.inputs import Input
from transcoder_tui.ffmpeg.plan import Plan
from transcoder_tui.models.rendition import Audio, Video
from transcoder_tui.models.units import frame_rate, size_of

FILTER_THREADS = ("-filter_threads", "1", "-filter_complex_threads", "1")
"""Automatic thread counts grow with the machine's cores: 272 threads and 2 GB for one 1080p rung were measured."""
DEINTERLACERS: Mapping[str, tuple[str, ...]] = {
    "auto": ("yadif=deint=interlaced",),
    "on": ("yadif=deint=all",),
    "bob": ("yadif=mode=send_field:deint=all",),
    "off": (),
}
"""What each value of :attr:`Source.deinterlace` does."""
LARGEST = 65535
"""The largest number in the shape of a pixel: what H.264 and HEVC have room for."""
TRUE_PEAK = -1.5
"""dBTP that loudness normalisation stays below: EBU R 128 allows -1 before a lossy codec adds its own half."""
LOUDNESS_RANGE = 11
"""LU; the middle of what broadcast programmes have (EBU Tech 3342), so that it is hardly touched."""
LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
"""FFmpeg's names of the channel layouts."""


def build_filters(
    plan: Plan,
    read: Input,
    choices: Sequence[Choice | None],
    deinterlace: str = "auto",
    drawing: Drawing | None = None,
) -> list[str]:
    """The graphs, one for each ``-filter_complex``; their ends are ``[v0]``, ``[v1]`` … and ``[a0]``, ``[a1]`` ….

    The picture and each sound track have a graph of their own, because FFmpeg makes a graph anew when the format of
    one of its inputs changes, such as from stereo to 5.1, and the others are not to notice. ``aresample`` has no
    ``first_pts``: made anew with it, it fills in silence from zero on.

    Every rung is forced to progressive 4:2:0, of 8 bits unless it says otherwise: 10-bit and 4:2:2 sources would
    otherwise end the H.264 encoder's high profile. Rungs of one frame rate share one ``fps`` filter, so that a GOP of
    so many frames begins at the same instant on each of them. What is copied has no part in it.

    Args:
        plan: The streams to make.
        read: The source.
        choices: What encodes each picture.
        deinterlace: How the source is deinterlaced.
        drawing: What is drawn over the pictures.

    Returns:
        The graphs; none where everything is copied.
    """
    videos = [rendition.video for rendition in plan.renditions]
    pictures = {
        f"v{number}": [*DEINTERLACERS[deinterlace], *_picture(video, choice, videos, drawing)]
        for number, (video, choice) in enumerate(zip(videos, choices, strict=True))
        if choice is not None
    }
    graphs = [shared_graph(read.video, pictures, "split")] if pictures else []
    for track, specifier in enumerate(read.audios):
        sounds = {
            f"a{number}": list(_sound(sound.audio))
            for number, sound in enumerate(plan.sounds)
            if sound.track == track and not sound.audio.is_copy
        }
        if sounds:
            graphs.append(shared_graph(specifier, sounds, "asplit"))
    return graphs


def _picture(video: Video, choice: Choice, ladder: Sequence[Video], drawing: Drawing | None) -> Iterator[str]:
    yield f"fps={frame_rate(video.fps)}"
    pixels = choice.encoder.pixel_format(video)
    if drawing is None:
        yield from _fitted(video, video.size, video.pixel_aspect)
        yield f"format={pixels}"
    else:
        # Drawn on the largest rung of its shape, in square pixels, from which the others are scaled then.
        alike = [other for other in ladder if _shape(other) == _shape(video)]
        canvas = max((_square(other, other.size) for other in alike if other.size), key=size_of, default=None)
        drawn = "yuv420p10le" if video.bit_depth == 10 else "yuv420p"
        yield from _fitted(video, canvas)
        yield f"format={drawn}"
        yield from drawing.over(canvas, video.bit_depth, str(ladder.index(alike[0])))
        if video.size is not None and video.size != canvas:
            yield "scale={}:{}".format(*size_of(video.size))
        if pixels != drawn:
            yield f"format={pixels}"
    if video.size is not None:
        # FFmpeg rounds to fractions of small numbers otherwise.
        yield f"setsar={video.pixel_aspect}:max={LARGEST}" if video.aspect else "setsar=1"
    if choice.encoder.upload:
        yield choice.encoder.upload


def _shape(video: Video) -> tuple[object, ...]:
    """What rungs have in common that can be scaled from one another."""
    aspect = Fraction(*size_of(video.size)) * video.pixel_aspect if video.size is not None else None
    return video.is_copy, aspect, video.fit, video.bit_depth, frame_rate(video.fps)


def _square(video: Video, size: str) -> str:
    """The size of a picture where its pixels are square, and as many in its height."""
    width, height = size_of(size)
    return f"{round(width * video.pixel_aspect / 2) * 2}x{height}"


def _fitted(video: Video, size: str | None, pixel_aspect: Fraction = Fraction(1)) -> Iterator[str]:
    """Brings a picture to a size as it is meant to be seen; its pixels need not be square (``dar``), nor those made.

    Sides are rounded to the nearest even number, so that 854x480 takes 16:9 without bars. A picture of the source's
    size keeps the shape of its pixels, and loses a line or a column where their number is odd.
    """
    if size is None:
        yield "crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0"
        return
    width, height = size_of(size)
    if video.fit == "stretch":
        yield f"scale={width}:{height}"
        return
    choose = "min" if video.fit == "pad" else "max"
    high, wide = height / pixel_aspect, width * pixel_aspect
    across, down = f"trunc(({high}*dar+1)/2)*2", f"trunc(({wide}/dar+1)/2)*2"
    yield f"scale=w='{choose}({width},{across})':h='{choose}({height},{down})'"
    if video.fit == "pad":
        yield f"pad={width}:{height}:(ow-iw)/2:(oh-ih)/2"
    else:
        yield f"crop={width}:{height}"


def _sound(audio: Audio) -> Iterator[str]:
    if audio.delay:
        # Shifted before gaps are filled; what comes before the first picture is cut off.
        yield f"asetpts=PTS{audio.delay:+g}/TB"
        if audio.delay < 0:
            yield "atrim=start=0"
    yield "aresample=async=1"
    if audio.loudness is not None:
        # As it will be heard: a downmix is as loud as its channels together. loudnorm works at 192 kHz.
        yield f"aformat=channel_layouts={LAYOUTS[audio.channels]}"
        yield f"loudnorm=I={audio.loudness:g}:TP={TRUE_PEAK}:LRA={LOUDNESS_RANGE}"
        yield f"aresample={audio.sample_rate}"
    if audio.gain is not None:
        yield f"volume={audio.gain:g}dB"
