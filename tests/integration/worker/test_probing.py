"""Looking into sources through the worker: by command line, by API, and while channels hold their ports."""

import asyncio
import json
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
from worker_rig import Wait, alive, channel

from transcoder_tui.client.client import WorkerClient
from transcoder_tui.errors import HostFault, InvalidInput, SourceFault
from transcoder_tui.ffmpeg.binary import carried
from transcoder_tui.settings import Settings
from transcoder_tui.worker.inspector import AT_ONCE


@pytest.fixture
def port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def clip(settings: Settings) -> str:
    """A transport stream below the media root."""
    name = settings.media[0] / "clips" / "clip.ts"
    name.parent.mkdir(parents=True, exist_ok=True)
    argv = [
        *(str(carried()), "-loglevel", "error", "-y", "-f", "lavfi", "-i", "testsrc2=s=160x90:r=25", "-f", "lavfi"),
        *("-i", "sine=r=48000", "-t", "2", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "mp2"),
        *("-metadata", "service_name=Evil \x1b]0;title\x07", "-metadata:s:a", "language=fra", str(name)),
    ]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    return "file://clips/clip.ts"


def looking(words: str) -> list[int]:
    """The processes whose command line holds some words."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if words.encode() in (entry / "cmdline").read_bytes() and alive(int(entry.name)):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.mark.long
async def test_the_command_line_shows_what_a_source_carries(client: WorkerClient, cli: Any, clip: str) -> None:
    shown = cli("probe", clip)
    assert shown.returncode == 0, shown.stderr
    assert "160x90, 25 fps, progressive" in shown.stdout
    assert "fra" in shown.stdout and "48000 Hz" in shown.stdout
    assert "\x1b" not in shown.stdout and "Evil" in shown.stdout
    document = json.loads(cli("probe", clip, "--json").stdout)
    assert [stream["kind"] for stream in document["streams"]] == ["video", "audio"]
    assert all(stream["measured_bitrate"] for stream in document["streams"])


@pytest.mark.long
async def test_failures_are_said_without_secrets_and_with_an_exit_code(
    client: WorkerClient, cli: Any, port: int
) -> None:
    refused = cli("probe", f"rtmp://127.0.0.1:{port}/live/very-secret-key")
    assert refused.returncode == 1
    assert f"the server at 127.0.0.1:{port} refused the connection; check that it runs" in refused.stderr
    wrong = cli("probe", "udp://239.1.1.1:5000", "--interface", "nosuch0")
    assert wrong.returncode == 1
    assert "no interface nosuch0 on this host" in wrong.stderr
    assert cli("probe", "gopher://1.2.3.4").returncode == 3
    assert cli("probe", "udp://239.1.1.1:5000", "--set", "colour=red").returncode == 3
    assert cli("probe", "udp://239.1.1.1:5000", "--time", "2").returncode == 2
    for said in (refused, wrong):
        assert "Traceback" not in said.stderr and "very-secret-key" not in said.stderr


async def test_a_port_that_a_channel_holds_is_named_with_the_channel(
    client: WorkerClient, wait: Wait, port: int
) -> None:
    url = f"udp://127.0.0.1:{port}"
    created = await client.create(channel("News HD", sources=[{"url": url}]))
    await wait(created.id, lambda row: row.pid is not None)
    with pytest.raises(SourceFault, match="News HD receives on it"):
        await client.probe({"url": url})
    await client.order(created.id, "stop")
    with pytest.raises(SourceFault, match=f"no packets from {url} for 5 s"):
        await client.probe({"url": url})


async def test_a_wrong_source_is_refused_at_its_field(client: WorkerClient) -> None:
    with pytest.raises(InvalidInput) as refused:
        await client.probe({"url": "udp://239.1.1.1"})
    assert [fault.field for fault in refused.value.faults] == ["url"]
    with pytest.raises(HostFault, match="no interface nosuch0"):
        await client.probe({"url": "udp://239.1.1.1:5000", "interface": "nosuch0"})


async def test_only_a_few_look_at_a_time_and_none_goes_on_for_a_client_that_left(
    client: WorkerClient, port: int, eventually: Any
) -> None:
    group = f"239.255.8.1:{port}"
    waiting = [
        asyncio.ensure_future(client.probe({"url": f"udp://{group}", "interface": "lo"}, 60)) for _ in range(AT_ONCE)
    ]
    await asyncio.to_thread(eventually, lambda: len(looking(group)) >= AT_ONCE)
    with pytest.raises(SourceFault, match=f"{AT_ONCE} probes run already"):
        await client.probe({"url": f"udp://{group}"})
    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await asyncio.to_thread(eventually, lambda: not looking(group))
