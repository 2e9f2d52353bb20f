"""What was found in a source, in the words of console and command line."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transcoder_tui.models.probe import FieldOrder, Probe, ProbedProgram, ProbedStream

_SCANS: "dict[FieldOrder, str]" = {
    "": "",
    "progressive": "progressive",
    "top first": "interlaced, top field first",
    "bottom first": "interlaced, bottom field first",
}


def pid_text(pid: int | None) -> str:
    """``256 0x100``; empty where there is none."""
    return "" if pid is None else f"{pid} {pid:#x}"


def program_title(found: "Probe", program: "ProbedProgram") -> str:
    """``Program 101  NEWS``, or ``Variant 0`` of an HLS playlist."""
    word = "Variant" if found.container == "hls" else "Program"
    return f"{word} {program.number}" + (f"  {program.name}" if program.name else "")


def program_words(program: "ProbedProgram") -> str:
    """``by FFmpeg, PMT PID 4096 0x1000, PCR PID 256 0x100``."""
    words = (
        program.provider and f"by {program.provider}",
        program.pmt_pid is not None and f"PMT PID {pid_text(program.pmt_pid)}",
        program.pcr_pid is not None and f"PCR PID {pid_text(program.pcr_pid)}",
        program.bitrate and f"{program.bitrate / 1e6:.2f} Mb/s declared",
    )
    return ", ".join(word for word in words if word)


def codec_words(stream: "ProbedStream") -> str:
    """``mpeg2video 4:2:2``."""
    return f"{stream.codec or 'unknown'} {stream.profile}".rstrip()


def format_words(stream: "ProbedStream") -> str:
    """``1920x1080, 25 fps, interlaced, top field first, yuv422p``, or ``48000 Hz, 5.1(side), hearing impaired``."""
    square = stream.sample_aspect in ("", "1:1")
    words = (
        stream.size,
        stream.fps is not None and f"{stream.fps:g} fps",
        _SCANS[stream.field_order],
        stream.pixel_format,
        not square and f"pixels {stream.sample_aspect}",
        stream.sample_rate is not None and f"{stream.sample_rate} Hz",
        stream.layout,
        *stream.dispositions,
        not stream.is_complete and "scrambled or incomplete",
    )
    return ", ".join(word for word in words if word)


def rate_of(stream: "ProbedStream") -> int | None:
    """Bits per second, measured where they were, else as the source declares them."""
    return stream.bitrate if stream.measured_bitrate is None else stream.measured_bitrate


def summary(found: "Probe") -> str:
    """``mpegts, 2 programs, 5 streams``."""
    word = "variant" if found.container == "hls" else "program"
    parts = [found.container.partition(",")[0]]
    parts += [_plural(len(found.programs), word)] if found.programs else []
    return ", ".join([*parts, _plural(len(found.streams), "stream")])


def _plural(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
