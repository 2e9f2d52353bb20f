"""What is refused when a channel is saved, although its document is right."""

from typing import Any

import pytest
from ffmpeg_samples import HOST, channel

from transcoder_tui.worker import admission

GROUP = "udp://239.1.1.1:5000"


SUBTITLES, DATA = {"subtitles": "all"}, {"data": "0x1f0"}


@pytest.mark.parametrize(
    ("outputs", "asked", "refused"),
    [
        (["hls://a", "dash://b"], DATA, True),
        (["hls://a", "dash://b"], SUBTITLES, False),
        (["dash://b"], SUBTITLES, True),
        (["rtmp://192.0.2.1/live/key", "file://a.mp4"], DATA, True),
        (["rtmp://192.0.2.1/live/key", "file://a.mp4"], SUBTITLES, True),
        (["hls://a", "udp://239.2.1.1:5000"], DATA, False),
        (["file://a.ts"], DATA, False),
        (["file://a.ts"], SUBTITLES, False),
    ],
)
def test_subtitles_and_data_are_refused_where_no_output_carries_them(
    outputs: list[str], asked: dict[str, Any], refused: bool
) -> None:
    spec = channel(*({"url": url} for url in outputs), source=GROUP)
    source = spec.sources[0].model_copy(update=asked)

    faults = admission.faults(spec.model_copy(update={"sources": [source]}), None, HOST)

    assert [(fault.field, "udp://" in fault.remedy) for fault in faults] == (
        [(f"sources[0].{next(iter(asked))}", True)] if refused else []
    )
