"""What a running worker says of a channel's cost, from a measurement that is kept beside its database."""

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from subprocess import CompletedProcess

import pytest
from worker_rig import Wait, channel

from transcoder_tui.client.client import WorkerClient
from transcoder_tui.host.cpus import cpu_model
from transcoder_tui.models.capacity import MEASURE, Capacity, PictureCost
from transcoder_tui.models.view import ChannelView
from transcoder_tui.settings import Settings
from transcoder_tui.worker.capacity import keep, kept

CORES = os.cpu_count() or 1
UNKNOWN = [f"what it costs is not known; measure this machine with '{MEASURE}'"]


@pytest.fixture
def measured(settings: Settings) -> Iterator[Callable[[str], Capacity]]:
    """Keeps a measurement with a given FFmpeg, in which 1080p costs 10 ms a frame."""

    def make(ffmpeg: str) -> Capacity:
        picture = PictureCost(encoder="libx264", preset="ultrafast", size="1920x1080", cpu_ms=10.0, fps=50.0, width=1.0)
        capacity = Capacity(
            at=datetime.now(UTC),
            ffmpeg=ffmpeg,
            cpu=cpu_model(),
            cores=CORES,
            busy=0.0,
            decode_ms=4.0,
            pattern_ms=2.0,
            deinterlace_ms=1.0,
            scale_ms={"1280x720": 3.0, "640x360": 2.0},
            pictures=[picture],
        )
        keep(capacity, settings.capacity)
        return capacity

    yield make
    settings.capacity.unlink(missing_ok=True)


def is_sampled(view: ChannelView) -> bool:
    return bool(view.telemetry.cpu_percent)


async def test_without_a_measurement_there_is_only_the_way_to_make_one(client: WorkerClient) -> None:
    cost = await client.cost(channel())
    applied = await client.apply({"version": 1, "channels": [channel()]}, dry_run=True)

    assert (cost.cores, cost.notes, cost.slow) == (None, UNKNOWN, [])
    assert applied.cost is not None
    assert applied.cost.notes == UNKNOWN


async def test_a_channel_is_priced_before_it_is_stored(
    client: WorkerClient, measured: Callable[[str], Capacity]
) -> None:
    measured((await client.worker()).ffmpeg_version)

    cost = await client.cost(channel())

    assert cost.cores is not None
    assert 0 < cost.cores < 0.5
    assert (cost.of, cost.slow, cost.notes) == (CORES, [], [])


async def test_a_line_up_is_priced_without_being_applied(
    client: WorkerClient, measured: Callable[[str], Capacity], cli: Callable[..., "CompletedProcess[str]"]
) -> None:
    measured((await client.worker()).ffmpeg_version)
    slow = channel("Slow", outputs=[{"url": "hls://slow", "segment": "1s"}])
    slow["renditions"][0]["video"] = {
        "size": "1920x1080",
        "fps": 120,
        "bitrate": "5M",
        "preset": "ultrafast",
        "gop": "1s",
    }
    document = json.dumps({"version": 1, "channels": [channel("Fast"), slow]})

    out = cli("apply", "-", "--dry-run", stdin=document).stdout.splitlines()

    assert out[0].startswith("+ Fast  would be created; about 0.")
    assert out[1].startswith("+ Slow  would be created; about ")
    assert "slower than real time: 90p: libx264 ultrafast reaches about 100 of 120 fps" in out[2]
    assert any(line.startswith("Together about ") for line in out[3:])
    assert await client.channels() == []


async def test_what_is_on_air_is_not_left_but_to_itself(
    client: WorkerClient, wait: Wait, measured: Callable[[str], Capacity]
) -> None:
    measured((await client.worker()).ffmpeg_version)
    stored = await client.create(channel())
    await wait(stored.id, is_sampled)

    another, itself = await client.cost(channel("Another")), await client.cost(channel(), stored.id)

    assert another.left < CORES
    assert itself.left == CORES


async def test_a_measurement_with_another_ffmpeg_is_used_and_said_to_be_stale(
    client: WorkerClient, measured: Callable[[str], Capacity]
) -> None:
    measured("4.4")

    cost = await client.cost(channel())

    assert cost.cores is not None
    assert cost.notes[0].startswith("it was measured with FFmpeg 4.4, and this is ")
    assert cost.notes[0].endswith(f"; measure again with '{MEASURE}'")


async def test_a_measurement_that_cannot_be_read_counts_as_none(
    client: WorkerClient, settings: Settings, measured: Callable[[str], Capacity]
) -> None:
    capacity = measured("9.0")
    assert kept(settings.capacity) == capacity
    settings.capacity.write_text('{"version": 2, "pictures": [')

    assert (await client.cost(channel())).notes == UNKNOWN
