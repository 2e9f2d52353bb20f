"""An input that is dead, and one that comes back."""

from collections.abc import Iterator

import pytest
from worker_rig import channel, installation, is_running, rows_told, runs_of

from transcoder_tui.client.background import ensure_worker
from transcoder_tui.client.client import WorkerClient
from transcoder_tui.models.job import Status
from transcoder_tui.models.view import ChannelView
from transcoder_tui.settings import Settings

DEAD = "udp://127.0.0.1:5998"


@pytest.fixture(scope="module")
def settings() -> Iterator[Settings]:
    """Channels that fail are given up at once."""
    with installation(RETRY__ATTEMPTS="0") as settings:
        yield settings


async def test_a_dead_input_is_retried_and_then_given_up_with_its_reason() -> None:
    with installation(RETRY__ATTEMPTS="2") as settings:
        ensure_worker(settings)
        async with WorkerClient(settings.socket) as client:
            created = await client.create(channel(sources=[{"url": DEAD}]))
            seen: list[ChannelView] = []
            async for view in rows_told(client, created.id):
                seen.append(view)
                if view.status == Status.ERROR:
                    break
            log = (await client.log(created.id)).lines

        retrying = [view for view in seen if view.status == Status.RETRYING and view.attempt == 2]
        assert retrying, "the second retry comes after a wait"
        assert retrying[0].next_retry_at is not None
        assert (retrying[0].attempt, retrying[0].max_attempts) == (2, 2)
        assert DEAD in seen[-1].message
        assert seen[-1].remedy
        assert seen[-1].pid is None
        assert runs_of(settings) == []
        assert sum(" WORKER  start " in line for line in log) == 3
        assert any("given up after 2 attempts" in line for line in log)


@pytest.mark.long
async def test_the_next_source_takes_over_where_the_first_is_dead() -> None:
    with installation() as settings:
        ensure_worker(settings)
        async with WorkerClient(settings.socket) as client:
            sources = [{"url": DEAD}, {"url": "test://bars?size=160x90"}]
            created = await client.create(channel(sources=sources))
            async for view in rows_told(client, created.id):
                if is_running(view):
                    break
            assert (view.source_index, view.source) == (1, sources[1]["url"])


@pytest.mark.long
async def test_a_channel_in_error_starts_again_when_it_is_ordered(client: WorkerClient) -> None:
    created = await client.create(channel(sources=[{"url": DEAD}]))
    async for view in rows_told(client, created.id):
        if view.status == Status.ERROR:
            break
    await client.change(created.id, channel())
    async for view in rows_told(client, created.id):
        if is_running(view):
            break
    assert (view.message, view.attempt) == ("", 0)


@pytest.mark.parametrize("url", ["file://missing.ts", "http://127.0.0.1:9/x.m3u8", "rtmp://127.0.0.1:9/live/key"])
async def test_the_reason_for_a_source_that_cannot_be_opened_is_told(client: WorkerClient, url: str) -> None:
    created = await client.create(channel(sources=[{"url": url}]))
    async for view in rows_told(client, created.id):
        if view.status == Status.ERROR:
            break
    assert view.message
    assert view.remedy
