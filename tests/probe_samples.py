"""What looking into a source finds, for tests of how it is shown."""

from transcoder_tui.models.probe import ProbedStream


def contribution_picture(size: str, sample_aspect: str) -> ProbedStream:
    """An interlaced 4:2:2 picture, the first stream of a multiplex."""
    return ProbedStream(
        index=0,
        pid=257,
        kind="video",
        codec="mpeg2video",
        profile="4:2:2",
        size=size,
        fps=25,
        field_order="top first",
        pixel_format="yuv422p",
        sample_aspect=sample_aspect,
        measured_bitrate=15_110_000,
    )
