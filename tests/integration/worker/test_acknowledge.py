"""Alarms that somebody has seen: known to all, for as long as they last."""

import asyncio
import getpass
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from worker_rig import Wait, channel, installation

from transcoder_tui.client.client import WorkerClient
from transcoder_tui.models.event import EventKind
from transcoder_tui.models.health import Health
from transcoder_tui.models.view import ChannelView
from transcoder_tui.settings import Settings


@pytest.fixture(scope="module")
def settings() -> Iterator[Settings]:
    """With a worker that soon says for whom a channel waits."""
    with installation(WATCHDOG__STARTUP_S="2") as settings:
        yield settings


def listening(name: str) -> dict[str, Any]:
    """A channel that waits for a caller who never comes, which is an alarm that stays."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return channel(name, sources=[{"url": f"srt://127.0.0.1:{port}?mode=listener"}])


def is_acknowledged(view: ChannelView) -> bool:
    return bool(view.alarms) and not view.is_alarmed


def is_alarmed(view: ChannelView) -> bool:
    return view.is_alarmed


async def test_an_alarm_is_acknowledged_until_it_is_gone(
    client: WorkerClient, wait: Wait, cli: Callable[..., Any]
) -> None:
    created = await client.create(listening("Waits"))
    await wait(created.id, is_alarmed)

    done = await client.acknowledge(created.id)
    again = await client.acknowledge(created.id)
    seen = await wait(created.id, is_acknowledged)

    assert (done.changed, again.changed) == (True, False)
    [alarm] = done.alarms
    assert (alarm.health, alarm.acknowledged_by) == (Health.NO_PEER, getpass.getuser())
    assert alarm.acknowledged_at is not None
    assert seen.alarms == again.alarms == done.alarms
    [event] = await client.events(kinds=[EventKind.ACKNOWLEDGED])
    assert (event.channel, event.health, event.actor) == ("Waits", Health.NO_PEER, getpass.getuser())

    reloaded = await asyncio.to_thread(cli, "worker", "reload")
    assert reloaded.returncode == 0, reloaded.stderr
    assert (await client.job(created.id)).alarms == done.alarms

    await client.order(created.id, "stop")
    await client.order(created.id, "start")
    await wait(created.id, is_alarmed)


async def test_a_channel_without_alarms_has_nothing_to_acknowledge(client: WorkerClient) -> None:
    created = await client.create(channel(autostart=False))

    done = await client.acknowledge(created.id)

    assert (done.changed, done.alarms) == (False, [])
    assert await client.events(kinds=[EventKind.ACKNOWLEDGED], channel_id=created.id) == []


async def test_the_command_line_acknowledges_by_name(client: WorkerClient, wait: Wait, cli: Callable[..., Any]) -> None:
    created = await client.create(listening("Waits"))
    await client.create(channel("Stopped", autostart=False))
    await wait(created.id, is_alarmed)

    first = await asyncio.to_thread(cli, "acknowledge", "waits", "Stopped")
    second = await asyncio.to_thread(cli, "acknowledge", "--all")

    assert sorted(first.stdout.splitlines()) == ["Stopped  no alarm", "Waits    acknowledged: waits for peer"]
    assert "Waits    already acknowledged: waits for peer" in second.stdout.splitlines()
    assert (await wait(created.id, is_acknowledged)).message
