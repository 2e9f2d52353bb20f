"""The FFmpeg command of a document that is not stored."""

import pytest
from worker_rig import channel

from transcoder_tui.client.client import WorkerClient
from transcoder_tui.errors import HostFault, InvalidInput


async def test_a_document_is_shown_as_the_command_that_it_gives_and_is_not_stored(client: WorkerClient) -> None:
    secret = "rtmp://127.0.0.1:1935/live/a-stream-key"
    document = channel("News", outputs=[{"url": "hls://news", "segment": "1s"}, {"url": secret}])

    unsaved = await client.preview(document)

    assert await client.channels() == []
    assert "libx264" in unsaved.argv
    assert "a-stream-key" not in unsaved.shell
    stored = await client.create({**document, "autostart": False})
    command = await client.command(stored.id)
    assert unsaved == command
    changed = await client.preview({**document, "priority": 70}, stored.id)
    assert changed == command, "what does not reach FFmpeg is not in its command"


async def test_what_is_wrong_with_a_document_is_told_with_its_field(client: WorkerClient) -> None:
    with pytest.raises(InvalidInput) as wrong:
        await client.preview(channel(priority=101))
    assert [fault.field for fault in wrong.value.faults] == ["priority"]
    with pytest.raises((InvalidInput, HostFault)) as missing:
        await client.preview(channel(sources=[{"url": "udp://239.1.1.1:5000", "interface": "eth99"}]))
    assert [fault.field for fault in missing.value.faults] == ["sources[0].interface"]
