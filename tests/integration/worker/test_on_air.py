"""Channels on air: started, stopped, changed and seen, with the real FFmpeg."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import m3u8
import pytest
from worker_rig import Wait, alive, channel, deaf_ffmpeg, installation, is_running, row_of

from transcoder_tui.client.background import ensure_worker
from transcoder_tui.client.client import WorkerClient
from transcoder_tui.errors import Conflict, InvalidInput, NoSuchChannel
from transcoder_tui.models.event import EventKind
from transcoder_tui.models.health import Health
from transcoder_tui.models.job import Status, Wanted
from transcoder_tui.models.view import ChannelView
from transcoder_tui.settings import Settings


async def test_a_created_channel_goes_on_air_and_shows_its_figures(client: WorkerClient, wait: Wait) -> None:
    created = await client.create(channel())

    view = await wait(created.id, lambda row: is_running(row) and row.telemetry.fps is not None)

    assert view.wanted == Wanted.RUNNING
    assert view.pid is not None and alive(view.pid)
    assert view.on_air_since is not None
    assert view.renditions == ["90p 160x90 25 fps 100k"]
    assert view.outputs == ["hls://test"]
    figures = (await wait(created.id, lambda row: (row.telemetry.speed or 0) > 0.8)).telemetry
    assert figures.fps == pytest.approx(25, rel=0.4)
    assert figures.drops == 0
    assert figures.rss_bytes is not None and figures.rss_bytes > 1_000_000
    # What is written as HLS is counted, every few seconds.
    await wait(created.id, lambda row: (row.telemetry.bitrate or 0) > 10_000)


async def test_each_output_and_rendition_shows_what_it_takes(client: WorkerClient, wait: Wait) -> None:
    outputs = [
        {"url": "hls://test", "segment": "1s"},
        {"url": "udp://127.0.0.1:5009", "muxrate": "600k"},
        {"url": "file://recorded/test.ts"},
    ]
    created = await client.create(channel(outputs=outputs))

    def is_known(view: ChannelView) -> bool:
        rates = view.telemetry.output_bps
        return len(rates) == 3 and all(rates)

    figures = (await wait(created.id, is_known)).telemetry

    segments, constant, recording = figures.output_bps
    assert 0 < constant <= 600_000, "its muxrate, at the speed at which it runs"
    # A picture of 100 kb/s and a sound, in transport streams of small packets.
    assert 30_000 < (segments or 0) < 600_000
    assert 10_000 < (recording or 0) < 2_000_000
    assert figures.rendition_bps == [segments]


async def test_a_stopped_channel_leaves_a_finished_playlist_and_no_process(
    client: WorkerClient, settings: Settings, wait: Wait, eventually: Any
) -> None:
    created = await client.create(channel())
    view = await wait(created.id, is_running)
    playlist = settings.hls / "test" / "90p" / "index.m3u8"
    eventually(playlist.exists)

    order = await client.order(created.id, "stop")

    assert order.changed
    assert order.job.status == Status.STOPPED
    assert order.job.wanted == Wanted.STOPPED
    assert view.pid is not None and not alive(view.pid)
    parsed = m3u8.load(str(playlist))
    assert parsed.is_endlist
    assert parsed.segments
    assert all((playlist.parent / segment.uri).exists() for segment in parsed.segments)
    assert not (await client.order(created.id, "stop")).changed


async def test_a_channel_that_is_started_again_goes_on_with_its_playlist(
    client: WorkerClient, settings: Settings, wait: Wait, eventually: Any
) -> None:
    created = await client.create(channel())
    playlist = settings.hls / "test" / "90p" / "index.m3u8"
    await wait(created.id, is_running)
    eventually(playlist.exists)
    await client.order(created.id, "stop")
    before = m3u8.load(str(playlist))

    await client.order(created.id, "start")
    eventually(lambda: len(m3u8.load(str(playlist)).segments) > len(before.segments))

    after = m3u8.load(str(playlist))
    assert not after.is_endlist
    assert after.segments[-1].uri > before.segments[-1].uri
    assert any(segment.discontinuity for segment in after.segments)


async def test_a_restart_is_a_new_ffmpeg_and_a_stop_during_it_wins(client: WorkerClient, wait: Wait) -> None:
    created = await client.create(channel())
    first = await wait(created.id, is_running)

    await client.order(created.id, "restart")
    second = await wait(created.id, lambda row: is_running(row) and row.pid != first.pid)
    assert first.pid is not None and not alive(first.pid)

    await client.order(created.id, "restart")
    stopped = await client.order(created.id, "stop")
    assert stopped.job.status == Status.STOPPED
    assert second.pid is not None and not alive(second.pid)
    assert (await client.job(created.id)).status == Status.STOPPED


async def test_ffmpeg_that_is_killed_comes_back_at_once_and_the_reason_is_told(
    client: WorkerClient, wait: Wait
) -> None:
    created = await client.create(channel())
    first = await wait(created.id, is_running)
    assert first.pid is not None

    os.kill(first.pid, signal.SIGKILL)

    second = await wait(created.id, lambda row: is_running(row) and row.pid != first.pid)
    assert second.restarts == 1
    events = [event.message for event in await client.events(channel_id=created.id)]
    assert any(message.startswith("retrying: ") and "SIGKILL" in message for message in events), events


async def test_a_stopped_process_is_told_and_ended_by_the_watchdog(client: WorkerClient, wait: Wait) -> None:
    created = await client.create(channel())
    first = await wait(created.id, is_running)
    assert first.pid is not None

    os.kill(first.pid, signal.SIGSTOP)

    stalled = await wait(created.id, lambda row: row.health == Health.PROCESS_STOPPED)
    assert stalled.pid == first.pid
    assert "SIGSTOP" in stalled.message
    back = await wait(created.id, lambda row: is_running(row) and row.pid != first.pid)
    assert not alive(first.pid)
    assert back.gap_s is not None and back.gap_s >= 3
    await wait(created.id, lambda row: row.health == Health.OK)
    history = [(event.kind, event.health) for event in await client.events(50, created.id) if event.health]
    assert history == [
        (EventKind.RAISED, Health.PROCESS_STOPPED),
        (EventKind.CLEARED, Health.PROCESS_STOPPED),
    ]


async def test_a_stopped_process_can_be_stopped(client: WorkerClient, wait: Wait) -> None:
    created = await client.create(channel())
    view = await wait(created.id, is_running)
    assert view.pid is not None
    os.kill(view.pid, signal.SIGSTOP)

    order = await client.order(created.id, "stop")

    assert order.job.status == Status.STOPPED
    assert not alive(view.pid)


@pytest.mark.long
async def test_ffmpeg_that_ignores_term_is_killed(tmp_path: Path) -> None:
    with installation(FFMPEG__PATH=deaf_ffmpeg(tmp_path)) as settings:
        ensure_worker(settings)
        async with WorkerClient(settings.socket) as client:
            created = await client.create(channel())
            view = await row_of(client, created.id, is_running)

            order = await client.order(created.id, "stop")

    assert (order.job.status, order.job.exit_code) == (Status.STOPPED, -signal.SIGKILL)
    assert view.pid is not None and not alive(view.pid)


async def test_a_change_that_reaches_ffmpeg_restarts_and_another_does_not(client: WorkerClient, wait: Wait) -> None:
    created = await client.create(channel())
    first = await wait(created.id, is_running)

    regrouped = await client.change(created.id, channel(group="News"), created.revision)
    view = await wait(created.id, lambda row: row.group == "News")
    assert view.pid == first.pid

    resized = channel(group="News")
    resized["renditions"][0]["video"]["size"] = "320x180"
    await client.change(created.id, resized, regrouped.revision)
    second = await wait(created.id, lambda row: is_running(row) and row.pid != first.pid)
    assert second.renditions == ["90p 320x180 25 fps 100k"]


async def test_two_operators_cannot_overwrite_each_other(client: WorkerClient) -> None:
    created = await client.create(channel(autostart=False))
    await client.change(created.id, channel(autostart=False, group="A"), created.revision)

    with pytest.raises(Conflict) as conflict:
        await client.change(created.id, channel(autostart=False, group="B"), created.revision)

    assert conflict.value.faults[0].remedy
    assert (await client.channel(created.id)).spec["group"] == "A"


async def test_a_deleted_channel_is_off_air_and_gone(client: WorkerClient, wait: Wait) -> None:
    created = await client.create(channel())
    view = await wait(created.id, is_running)

    await client.delete(created.id)

    assert view.pid is not None and not alive(view.pid)
    assert await client.channels() == []
    with pytest.raises(NoSuchChannel):
        await client.job(created.id)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sources": [{"url": "udp://239.1.1.1:5000", "interface": "eth99"}]}, "sources[0].interface"),
        ({"sources": [{"url": "file:///etc/passwd"}]}, "sources[0].url"),
        ({"outputs": [{"url": "file:///root/out.ts"}]}, "outputs[0].url"),
        ({"name": "TEST"}, "name"),
        ({"name": "Other", "outputs": [{"url": "hls://test"}]}, "outputs[0].url"),
        ({"outputs": [{"url": "file://./rec//one.ts"}]}, "outputs[0].url"),
        ({"sources": [{"url": "file://rec/one.ts"}]}, "sources[0].url"),
        ({"sources": [{"url": "udp://127.0.0.1:5990"}]}, "sources[0].url"),
    ],
)
async def test_what_this_host_cannot_run_is_refused_before_it_is_stored(
    client: WorkerClient, change: dict[str, Any], field: str
) -> None:
    outputs = [{"url": "hls://test", "segment": "1s"}, {"url": "file://rec/one.ts"}]
    sources = [{"url": "udp://127.0.0.1:5990"}]
    await client.create(channel(autostart=False, sources=sources, outputs=outputs))

    with pytest.raises(InvalidInput) as refusal:
        await client.create({**channel("Second"), **change})

    assert [fault.field for fault in refusal.value.faults] == [field]
    assert refusal.value.faults[0].remedy
    assert [document.spec["name"] for document in await client.channels()] == ["Test"]


async def test_the_log_holds_the_command_and_the_end_and_hides_the_key(client: WorkerClient, wait: Wait) -> None:
    created = await client.create(
        channel(outputs=[{"url": "hls://test", "segment": "1s"}, {"url": "rtmp://127.0.0.1:9/live/verysecretkey"}])
    )
    await wait(created.id, is_running)
    await client.order(created.id, "stop")

    lines = (await client.log(created.id, lines=1000)).lines

    text = "\n".join(lines)
    assert re.match(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WORKER  start /.*ffmpeg", lines[0])
    assert any(" WORKER  FFmpeg ended with " in line for line in lines)
    assert "verysecretkey" not in text
    assert "verysecretkey" not in (await client.command(created.id)).shell
    assert "verysecretkey" not in str(await client.metrics())
    assert (await client.channel(created.id)).spec["outputs"][1]["url"].endswith("verysecretkey"), "export keeps it"


async def test_a_dead_output_of_several_is_named_while_the_others_go_on(client: WorkerClient, wait: Wait) -> None:
    outputs = [{"url": "hls://test", "segment": "1s"}, {"url": "rtmp://127.0.0.1:9/live/verysecretkey"}]
    created = await client.create(channel(outputs=outputs))

    view = await wait(created.id, lambda row: is_running(row) and "rtmp://127.0.0.1:9/live" in row.message)

    assert "verysecretkey" not in view.message
    assert (view.restarts, view.telemetry.drops) == (0, 0)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2M", "tmpfs", str(tmp_path)], check=False)
    if mounted.returncode:
        pytest.skip("mounting a small disk is not permitted here")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


@pytest.mark.long
async def test_a_full_disk_below_hls_is_told_although_ffmpeg_says_nothing(small_disk: Path) -> None:
    with installation(HLS_ROOT=str(small_disk)) as settings:
        ensure_worker(settings)
        async with WorkerClient(settings.socket) as client:
            created = await client.create(channel())
            await row_of(client, created.id, is_running)
            room = shutil.disk_usage(small_disk).free
            (small_disk / "filler").write_bytes(b"x" * (room - 100_000))

            view = await row_of(client, created.id, lambda row: row.health == Health.DISK_FULL)

            assert is_running(view)
            (small_disk / "filler").unlink()
            await row_of(client, created.id, lambda row: is_running(row) and not row.message)


async def test_a_recording_of_an_earlier_run_is_kept(
    client: WorkerClient, settings: Settings, wait: Wait, eventually: Any
) -> None:
    created = await client.create(channel(outputs=[{"url": "file://rec/news.ts"}]))
    recording = settings.media[0] / "rec" / "news.ts"
    await wait(created.id, is_running)
    eventually(lambda: recording.exists() and recording.stat().st_size > 10_000)

    await client.order(created.id, "restart")

    kept = eventually(lambda: [path for path in recording.parent.iterdir() if path != recording])
    assert len(kept) == 1
    assert re.fullmatch(r"news\.\d{8}T\d{6}Z\.ts", kept[0].name)
    assert kept[0].stat().st_size > 10_000
