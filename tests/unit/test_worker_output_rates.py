"""What each output and rendition takes, from what is found on disk."""

from pathlib import Path
from typing import Any

from transcoder_tui.ffmpeg.facts import HostFacts
from transcoder_tui.ffmpeg.outputs import hls_trees, recordings
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.worker.output_rates import OutputRates
from transcoder_tui.worker.outputs import Findings

OUTPUTS = (
    {"url": "hls://t", "segment": "2s"},
    {"url": "udp://239.1.1.2:5000", "rendition": "lo", "muxrate": "600k"},
    {"url": "file://t.ts", "rendition": "lo"},
    {"url": "rtmp://127.0.0.1/live/key", "rendition": "lo"},
)


def spec(*outputs: dict[str, str]) -> ChannelSpec:
    rungs = [("hi", "320x180", "300k"), ("lo", "160x90", "100k")]
    document: dict[str, Any] = {
        "name": "T",
        "sources": [{"url": "udp://239.1.1.1:5000"}],
        "renditions": [{"name": name, "video": {"size": size, "bitrate": rate}} for name, size, rate in rungs],
        "outputs": list(outputs),
    }
    return ChannelSpec.model_validate(document)


def test_outputs_and_renditions_are_told_in_the_order_of_the_document(tmp_path: Path) -> None:
    document, host = spec(*OUTPUTS), HostFacts({}, [tmp_path], tmp_path)
    rates = OutputRates(document, host)
    (tree,), (recording,) = hls_trees(document, host), recordings(document, host)
    hi, lo = tree.rungs

    assert rates.of_outputs(None) == []
    assert rates.of_renditions() == []
    rates.learn(Findings(rates={hi: 330_400.0, lo: 150_600.0}, sizes={recording.path: 10_000}), 0)
    rates.learn(Findings(rates={hi: 330_400.0, lo: 150_600.0}, sizes={recording.path: 60_000}), 4)

    assert rates.of_renditions() == [330_000, 151_000]
    assert rates.of_outputs(0.998) == [481_000, 600_000, 100_000, None]
    assert rates.of_outputs(0.52) == [481_000, 300_000, 100_000, None], "null packets come with the media"


def test_a_new_file_of_a_series_is_no_shrinking_and_one_that_stands_still_takes_nothing(tmp_path: Path) -> None:
    document, host = spec(OUTPUTS[2]), HostFacts({}, [tmp_path], tmp_path)
    rates, (recording,) = OutputRates(document, host), recordings(document, host)

    told = []
    for second, size in enumerate((0, 50_000, 1_000, 1_000)):
        rates.learn(Findings(sizes={recording.path: size}), second)
        told.append(rates.of_outputs(1.0))

    assert told == [[], [400_000], [400_000], [0]]
