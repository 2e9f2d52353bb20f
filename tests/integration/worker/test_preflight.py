"""What is tested before a channel goes on air: its encoders by the real FFmpeg, this host by asking it."""

import asyncio
import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from worker_rig import Wait, channel, installation, is_running, row_of

from transcoder_tui.client.background import ensure_worker
from transcoder_tui.client.client import WorkerClient
from transcoder_tui.errors import Fault, InvalidInput
from transcoder_tui.ffmpeg.binary import Binary, carried, inspect_binary
from transcoder_tui.ffmpeg.command import HostFacts
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.settings import Settings
from transcoder_tui.worker import preflight, readiness
from transcoder_tui.worker.disk import Disk
from transcoder_tui.worker.preflight import Preflights

RUNG = channel()["renditions"][0]
BINARIES = [Path("/usr/bin/ffmpeg"), carried()]
CANNOT = "8.3"
"""A level that no H.264 has and our documents do not know of."""


def counting(binary: Path, directory: Path, before: str = "") -> Path:
    """An FFmpeg that notes each of its starts in ``starts`` beside it."""
    script = directory / "ffmpeg"
    script.write_text(f'#!/bin/sh\necho "$$" >>{directory}/starts\n{before}\nexec {binary} "$@"\n')
    script.chmod(0o755)
    return script


def starts(directory: Path) -> int:
    return len((directory / "starts").read_text().splitlines())


@pytest.fixture(params=[path for path in BINARIES if path.exists()], ids=["5.1", "9.0"][-len(BINARIES) :])
def binary(request: pytest.FixtureRequest, tmp_path: Path) -> Binary:
    """An FFmpeg that counts its starts."""
    found = inspect_binary(counting(request.param, tmp_path), "settings")
    (tmp_path / "starts").write_text("")
    return found


@pytest.fixture
def host(tmp_path: Path) -> HostFacts:
    for name in ("media", "hls"):
        (tmp_path / name).mkdir()
    return HostFacts(interfaces={"lo": ["127.0.0.1"]}, media_roots=[tmp_path / "media"], hls_root=tmp_path / "hls")


def spec(name: str = "Test", **changes: Any) -> ChannelSpec:
    return ChannelSpec.model_validate(channel(name, **changes))


def with_level(*levels: str | None) -> list[dict[str, Any]]:
    """A rung for each level."""
    return [
        {**RUNG, "name": f"r{number}", "video": {**RUNG["video"], "level": level}}
        for number, level in enumerate(levels)
    ]


# The encoders


async def test_channels_that_encode_alike_are_tested_once(binary: Binary, host: HostFacts, tmp_path: Path) -> None:
    tests = Preflights()
    alike = [spec(f"Channel {number}") for number in range(300)]
    assert await tests.faults(alike, binary, host, 30) == [[]] * 300
    assert starts(tmp_path) == 1

    other = spec("Other", renditions=[{**RUNG, "video": {**RUNG["video"], "bitrate": "200k"}}])
    await asyncio.gather(*(tests.require(each, each.name, binary, host) for each in (*alike, other, other)))
    assert starts(tmp_path) == 2


async def test_what_an_encoder_does_not_take_is_told_with_its_field_in_its_own_words(
    binary: Binary, host: HostFacts, tmp_path: Path
) -> None:
    tests = Preflights()
    bad = spec(renditions=with_level(None, CANNOT))
    [[fault], [], [other]] = await tests.faults([bad, spec(), spec(renditions=with_level(CANNOT))], binary, host, 30)
    assert fault.field == "renditions[1].video.level"
    assert fault.fault.startswith("x264 says: ")
    assert CANNOT in fault.fault
    assert fault.remedy
    assert other.field == "renditions[0].video.level"

    # It may have been the machine's fault: it is tested again.
    before = starts(tmp_path)
    with pytest.raises(InvalidInput, match="x264 says"):
        await tests.require(bad, "bad", binary, host)
    assert starts(tmp_path) == before + 1


async def test_another_ffmpeg_is_tested_anew(binary: Binary, host: HostFacts, tmp_path: Path) -> None:
    tests = Preflights()
    tests.trust("adopted")
    await tests.require(spec(), "adopted", binary, host)
    assert starts(tmp_path) == 0

    exchanged = inspect_binary(binary.path, "settings")
    before = starts(tmp_path)
    await tests.require(spec(), "adopted", exchanged, host)
    await tests.require(spec(), "adopted", exchanged, host)
    assert starts(tmp_path) == before + 1


async def test_what_is_copied_is_not_tested(binary: Binary, host: HostFacts, tmp_path: Path) -> None:
    rung = {"name": "copy", "video": {"codec": "copy", "bitrate": "5M"}, "audio": {"codec": "copy"}}
    copied = spec(sources=[{"url": "udp://127.0.0.1:5000"}], renditions=[rung], outputs=[{"url": "hls://copied"}])
    await Preflights().require(copied, "copied", binary, host)
    assert starts(tmp_path) == 0


@pytest.mark.parametrize("tracks", ["eng, fra, #3", "0x101"])
async def test_every_sound_track_is_tested(binary: Binary, host: HostFacts, tracks: str) -> None:
    many = spec(sources=[{"url": "udp://239.1.1.1:5000", "audio": tracks}])
    assert await Preflights().faults([many], binary, host, 30) == [[]]


async def test_a_test_that_hangs_keeps_no_channel_off_the_air(
    host: HostFacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "LIMIT_S", 0.5)
    real = inspect_binary(counting(carried(), tmp_path), "settings")
    counting(carried(), tmp_path, before="exec sleep 60")
    (tmp_path / "starts").write_text("")
    tests = Preflights()
    await tests.require(spec(), "hangs", real, host)
    await tests.require(spec(), "hangs", real, host)
    assert starts(tmp_path) == 1
    assert not Path(f"/proc/{(tmp_path / 'starts').read_text().strip()}").exists()


# This host


@pytest.fixture
def look(host: HostFacts) -> Iterator[Callable[..., readiness.Readiness]]:
    disk = Disk()

    def found(*channels: ChannelSpec, held: tuple[tuple[str, int], ...] = ()) -> readiness.Readiness:
        return asyncio.run(readiness.look([("", each) for each in channels], host, disk, held))

    yield found
    disk.close()


Look = Callable[..., readiness.Readiness]


def told(faults: list[Fault], field: str) -> str:
    [fault] = [fault for fault in faults if fault.field == field]
    assert fault.remedy
    return fault.fault


def test_a_port_that_another_program_has_is_told_and_one_of_our_own_is_not(look: Look) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other, socket.socket() as server:
        other.bind(("127.0.0.1", 0))
        server.bind(("127.0.0.1", 0))
        server.listen()
        port, tcp = other.getsockname()[1], server.getsockname()[1]
        sources = [{"url": f"srt://:{port}?mode=listener"}, {"url": f"rtmp://0.0.0.0:{tcp}/a/b", "listen": True}]
        found = look(spec(sources=sources))
        assert told(found.warnings, "sources[0].url") == f"another program has UDP port {port}"
        assert told(found.warnings, "sources[1].url") == f"another program has TCP port {tcp}"
        assert found.refusals == []
        assert not look(spec(sources=sources), held=(("UDP", port), ("TCP", tcp))).warnings
    assert not look(spec(sources=sources)).warnings


def test_ports_that_the_worker_has_no_right_to_are_refused(look: Look) -> None:
    least = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    if os.geteuid() != 0 or least < 2:
        pytest.skip("needs root, which then gives up its right to low ports")
    pid = os.fork()
    if pid == 0:
        os.setresuid(54_321, 54_321, 54_321)
        low = spec(sources=[{"url": f"udp://127.0.0.1:{least - 1}"}, {"url": f"udp://239.1.1.1:{least - 1}"}])
        faults = readiness._ports("", low, ()).refusals
        os._exit(sum("no right to UDP port" in fault.fault and bool(fault.remedy) for fault in faults))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 2


def test_directories_and_files_that_are_not_as_they_should_be_are_told(look: Look, host: HostFacts) -> None:
    (host.hls_root / "blocked").write_text("")
    recorded = spec(
        sources=[{"url": "file://missing.ts"}],
        outputs=[{"url": "hls://blocked/news"}, {"url": "file://new/directory/a.ts"}],
    )
    found = look(recorded)
    assert "blocked is no directory" in told(found.warnings, "outputs[0].url")
    assert "missing.ts is not there" in told(found.warnings, "sources[0].url")
    assert len(found.warnings) == 2
    assert found.refusals == []


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"sources": [{"url": "file://out/clip.ts"}]}, "sources[0].url"),
        ({"sources": [{"url": "file://a.ts", "playlist": "file://link.ts"}]}, "sources[0].playlist"),
        ({"overlay": {"logo": "file://out/logo.png"}}, "overlay.logo"),
        ({"outputs": [{"url": "file://out/rec.ts"}]}, "outputs[0].url"),
        ({"outputs": [{"url": "hls://out/news"}]}, "outputs[0].url"),
    ],
)
def test_links_that_lead_out_of_the_roots_are_refused(
    look: Look, host: HostFacts, tmp_path: Path, document: dict[str, Any], field: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    for root in (host.media_roots[0], host.hls_root):
        (root / "out").symlink_to(outside)
    (host.media_roots[0] / "a.ts").write_text("")
    (host.media_roots[0] / "link.ts").symlink_to("/etc/passwd")
    assert "leads outside" in told(look(spec(**document)).refusals, field)


def test_a_host_name_that_does_not_resolve_is_told_once(look: Look) -> None:
    names = spec(sources=[{"url": "http://nowhere.invalid/a.ts"}, {"url": "srt://nowhere.invalid:9000"}])
    found = look(names, spec(sources=[{"url": "http://localhost:1/a.ts"}, {"url": "udp://239.1.1.1:5000"}]))
    named = [fault for fault in found.warnings if "resolve" in fault.fault]
    assert [(fault.field, fault.fault) for fault in named] == [
        ("sources[0].url", "nowhere.invalid does not resolve to an address")
    ]


def test_small_receive_buffers_are_told_once_and_only_for_those_who_receive(look: Look) -> None:
    udp = [spec(sources=[{"url": f"udp://239.1.1.{number}:5000"}]) for number in (1, 2)]
    small = int(Path("/proc/sys/net/core/rmem_max").read_text()) < 8_000_000 if _readable() else True
    assert sum("net.core.rmem_max" in fault.fault for fault in look(*udp).warnings) == int(small)
    assert not any("net.core.rmem_max" in fault.fault for fault in look(spec()).warnings)


def _readable() -> bool:
    return Path("/proc/sys/net/core/rmem_max").exists()


# The whole worker


@pytest.mark.long
async def test_a_wrong_setting_is_refused_when_it_is_saved_and_what_is_on_air_stays(
    client: WorkerClient, wait: Wait
) -> None:
    stored = await client.create(channel("Test"))
    on_air = await wait(stored.id, is_running)
    bad = channel("Test", renditions=with_level(CANNOT))
    for save in (
        client.change(stored.id, bad),
        client.apply({"version": 1, "channels": [bad]}, dry_run=True),
        client.create({**bad, "name": "New", "outputs": [{"url": "hls://new"}]}),
    ):
        with pytest.raises(InvalidInput, match=r"renditions\[0\].video.level: x264 says: ") as refusal:
            await save
        assert refusal.value.faults[0].remedy
    assert (await wait(stored.id, is_running)).pid == on_air.pid


@pytest.mark.long
async def test_a_channel_is_tested_before_its_first_start_only(
    tmp_path: Path, eventually: Callable[..., object]
) -> None:
    """Neither after a crash, nor after it was adopted by another worker."""
    script = counting(carried(), tmp_path)
    with installation(FFMPEG__PATH=str(script)) as settings:
        ensure_worker(settings)
        async with WorkerClient(settings.socket) as client:
            await client.create(channel("Other", autostart=False, outputs=[{"url": "hls://other"}]))
            before = starts(tmp_path)
            stored = await client.create(channel("Test"))
            pid = (await row_of(client, stored.id, is_running)).pid
            assert starts(tmp_path) == before + 1, "it encodes like the other, which was tested when it was saved"
            again = await _after_kill(client, stored.id, pid)
            assert starts(tmp_path) == before + 2
            worker = await client.worker()
        os.kill(worker.pid, signal.SIGKILL)
        eventually(lambda: alive_elsewhere(settings, worker.pid))
        async with WorkerClient(settings.socket) as client:
            assert (await row_of(client, stored.id, is_running)).pid == again
            before = starts(tmp_path)
            await _after_kill(client, stored.id, again)
            assert starts(tmp_path) == before + 1


def alive_elsewhere(settings: Settings, pid: int) -> bool:
    """Whether another worker answers by now."""
    try:
        answer = httpx.Client(transport=httpx.HTTPTransport(uds=str(settings.socket))).get("http://w/api/v1/worker")
    except httpx.HTTPError:
        return False
    return answer.status_code == 200 and answer.json()["pid"] != pid and bool(answer.json()["ffmpeg"])


async def _after_kill(client: WorkerClient, channel_id: int, pid: int | None) -> int:
    """Kills a channel's FFmpeg, and gives the pid of the next one when it is on air."""
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    row = await row_of(client, channel_id, lambda view: is_running(view) and view.pid != pid)
    assert row.pid is not None
    return row.pid


async def test_what_may_heal_is_answered_as_a_warning(
    client: WorkerClient, cli: Callable[..., Any], settings: Settings, tmp_path: Path
) -> None:
    settings.hls.mkdir(parents=True, exist_ok=True)
    (settings.hls / "blocked").write_text("")
    document = channel("Test", autostart=False, outputs=[{"url": "hls://blocked/x", "segment": "1s"}])
    applied = await client.apply({"version": 1, "channels": [document]}, dry_run=True)
    assert [fault.field for fault in applied.warnings] == ["channels[0].outputs[0].url"]
    stored = await client.create(document)
    assert [fault.field for fault in stored.warnings] == ["outputs[0].url"]

    lineup = tmp_path / "lineup.json"
    lineup.write_text(json.dumps({"version": 1, "channels": [document]}))
    (settings.hls / "blocked").unlink()
    (settings.hls / "blocked").write_text("")
    await client.delete(stored.id)
    said = cli("apply", str(lineup))
    assert "! channels[0].outputs[0].url:" in said.stderr
    assert "blocked is no directory (in Test)" in said.stderr
    (settings.hls / "blocked").unlink()
