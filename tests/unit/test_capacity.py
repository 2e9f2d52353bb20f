"""What channels cost, by a measurement whose figures are known."""

from datetime import UTC, datetime
from typing import Any

import pytest

from transcoder_tui.models.capacity import (
    EFFORT,
    MEASURE,
    WEIGHT,
    Capacity,
    Cost,
    PictureCost,
    cost_of,
    estimate,
    together,
    unmeasured,
)
from transcoder_tui.models.channel import ChannelSpec

X264 = {"ultrafast": 8.0, "veryfast": 16.0, "medium": 48.0}
"""CPU milliseconds for a frame of 1080p."""
SHARE = {"1920x1080": 1.0, "1280x720": 0.5, "640x360": 0.125}


def capacity(**changes: Any) -> Capacity:
    pictures = [
        PictureCost(encoder="libx264", preset=preset, size=size, cpu_ms=ms * share, fps=100, width=3.0)
        for preset, ms in X264.items()
        for size, share in SHARE.items()
    ]
    measured = Capacity(
        at=datetime(2026, 11, 22, tzinfo=UTC),
        ffmpeg="9.0",
        cpu="Some CPU",
        cores=8,
        busy=0.0,
        decode_ms=8.0,
        pattern_ms=4.0,
        deinterlace_ms=4.0,
        scale_ms={"1280x720": 3.0, "640x360": 2.0},
        pictures=pictures,
    )
    return measured.model_copy(update=changes)


def channel(*videos: dict[str, Any], source: str = "udp://239.1.1.1:5000", **fields: Any) -> ChannelSpec:
    rungs = [
        {"name": f"r{number}", "video": {"bitrate": "3000k", **video}, "audio": None}
        for number, video in enumerate(videos)
    ]
    return ChannelSpec.model_validate(
        {
            "name": "News",
            "sources": [source if isinstance(source, dict) else {"url": source}],
            "renditions": rungs,
            "outputs": [{"url": "hls://news"}],
            **fields,
        }
    )


def cores(*videos: dict[str, Any], encoder: str = "libx264", **fields: Any) -> float:
    spec = channel(*videos, **fields)
    return estimate(spec, capacity(), dict.fromkeys((rung.name for rung in spec.renditions), encoder)).cores


FULL = {"size": "1920x1080"}
BASE = 0.04
"""Cores that reading and one output take."""


class TestTheEstimate:
    def test_adds_up_reading_scaling_and_encoding(self) -> None:
        decoding, encoding = 0.2, 0.4

        assert cores(FULL) == pytest.approx(BASE + decoding + encoding)

    def test_decodes_once_for_the_whole_ladder_and_scales_each_smaller_rung(self) -> None:
        small = {"size": "1280x720"}

        assert cores(FULL, small) - cores(FULL) == pytest.approx(0.003 * 25 + 0.2)

    def test_grows_with_the_frame_rate(self) -> None:
        assert cores({**FULL, "fps": 50}) - BASE == pytest.approx(2 * (cores(FULL) - BASE))

    def test_counts_only_what_an_output_carries(self) -> None:
        udp = [{"url": "udp://239.2.1.1:5000", "rendition": "r0"}]

        assert cores(FULL, FULL, outputs=udp) == pytest.approx(cores(FULL, outputs=udp))

    def test_knows_that_a_test_pattern_is_cheaper_to_draw_than_a_picture_to_decode(self) -> None:
        drawn = cores(FULL, source="test://bars?size=1920x1080&fps=25")

        assert cores(FULL) - drawn == pytest.approx(0.1)

    def test_takes_nothing_for_a_picture_that_is_copied(self) -> None:
        assert cores({"codec": "copy"}) == pytest.approx(BASE)

    def test_adds_the_deinterlacing_that_is_asked_for(self) -> None:
        interlaced: Any = {"url": "udp://239.1.1.1:5000", "deinterlace": "on"}

        assert cores(FULL, source=interlaced) - cores(FULL) == pytest.approx(0.1)

    def test_lies_between_two_sizes_that_were_measured(self) -> None:
        between = cores({"size": "1600x900"})

        assert cores({"size": "1280x720"}) < between < cores(FULL)

    def test_grows_with_the_pixels_beyond_them(self) -> None:
        assert cores({"size": "3840x2160"}) - BASE == pytest.approx(4 * (cores(FULL) - BASE))


class TestGuesses:
    def guessed(self, video: dict[str, Any], encoder: str) -> tuple[float, list[str]]:
        found = estimate(channel({**FULL, **video}), capacity(), {"r0": encoder})
        return (found.cores - BASE - 0.2) / 0.025, found.guesses

    def test_what_was_measured_is_none(self) -> None:
        ms, guesses = self.guessed({"preset": "medium"}, "libx264")

        assert ms == pytest.approx(48.0)
        assert guesses == []

    def test_a_preset_is_scaled_from_the_nearest_one_and_says_so(self) -> None:
        ms, guesses = self.guessed({"preset": "slow"}, "libx264")

        assert ms == pytest.approx(48.0 * EFFORT["slow"])
        assert guesses == ["r0 is a guess: from libx264 medium"]

    def test_an_encoder_is_scaled_from_the_nearest_one_and_says_so(self) -> None:
        ms, guesses = self.guessed({"codec": "hevc"}, "libx265")

        assert ms == pytest.approx(16.0 * WEIGHT["libx265"])
        assert guesses == ["r0 is a guess: from libx264 veryfast"]

    def test_hardware_that_was_not_measured_is_taken_for_cheap(self) -> None:
        ms, guesses = self.guessed({"encoder": "nvenc"}, "h264_nvenc")

        assert ms < 8.0
        assert guesses

    def test_ten_bits_are_one(self) -> None:
        ms, guesses = self.guessed({"bit_depth": 10}, "libx264")

        assert ms > 16.0
        assert guesses == ["r0 is a guess: for 10 bit, from 8"]


class TestTheCost:
    def cost(self, *videos: dict[str, Any], left: float = 8.0, **fields: Any) -> Cost:
        spec = channel(*videos, **fields)
        return cost_of(spec, capacity(), dict.fromkeys((rung.name for rung in spec.renditions), "libx264"), left)

    def test_is_told_with_what_the_machine_has_left(self) -> None:
        found = self.cost(FULL, left=3.14)

        assert found.words == "about 0.6 of 8 cores; 3.1 are left"
        assert not found.is_too_much

    def test_is_too_much_where_less_is_left(self) -> None:
        found = self.cost(FULL, left=0.3)

        assert found.words == "about 0.6 of 8 cores; only 0.3 are left"
        assert found.is_too_much
        assert not found.slow

    def test_an_encoder_that_cannot_keep_up_is_told_although_cores_are_free(self) -> None:
        found = self.cost({**FULL, "preset": "slower", "fps": 50})

        assert found.slow == ["r0: libx264 slower reaches about 26 of 50 fps"]
        assert found.is_too_much

    def test_scaling_that_one_thread_cannot_do_is_told(self) -> None:
        ladder = [{**FULL, "fps": 50}, *({"size": f"{width}x720", "fps": 50} for width in range(1000, 1016, 2))]

        assert "scaling so many pictures takes more than one core, and cannot use two" in self.cost(*ladder).slow

    def test_a_channel_with_cpus_of_its_own_has_only_these(self) -> None:
        found = self.cost({**FULL, "preset": "medium"}, cpus="2")

        assert found.of == 1
        assert found.left == 1
        assert found.slow[0] == "it needs about 1.4 cores, and its CPUs 2 are 1"
        assert not self.cost({**FULL, "preset": "medium"}, cpus="2,3").slow

    def test_a_channel_beyond_the_machine_is_told(self) -> None:
        found = self.cost(*({**FULL, "preset": "medium"} for _ in range(8)))

        assert found.slow == ["it needs about 9.8 cores, and this machine has 8"]

    def test_is_not_known_without_a_measurement_and_then_only_says_how_to_measure(self) -> None:
        found = unmeasured(8, 8.0)

        assert (found.words, found.is_too_much, found.slow) == ("", False, [])
        assert found.notes == [f"what it costs is not known; measure this machine with '{MEASURE}'"]

    def test_of_several_channels_adds_up_and_says_once_what_holds_for_all(self) -> None:
        costs = [
            Cost(cores=1.5, of=8, left=2, notes=["stale", "r0 is a guess"]),
            Cost(cores=1, of=8, left=2, notes=["stale"]),
        ]

        found = together(costs, 8, 2)

        assert found == Cost(cores=2.5, of=8, left=2, notes=["stale"])
        assert together([], 8, 2) is None
