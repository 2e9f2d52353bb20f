"""Hardware encoders: tested before they are used, replaced by software with a reason, never in the way of a start."""

import asyncio
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from fake_ffmpeg import fake_ffmpeg, give_hardware
from worker_rig import channel, installation, is_running, row_of

from transcoder_tui.client.background import ensure_worker
from transcoder_tui.client.client import WorkerClient
from transcoder_tui.ffmpeg.binary import Binary, carried
from transcoder_tui.ffmpeg.hardware import Trial
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.event import Severity
from transcoder_tui.worker import hardware
from transcoder_tui.worker.hardware import Hardware

NAMES = frozenset({"h264_nvenc", "h264_qsv", "h264_vaapi", "hevc_nvenc", "libx264", "aac"})
LISTED = """\
 V....D libx264              x264
 V....D h264_nvenc           nvenc
 V....D h264_vaapi           vaapi
 A....D aac                  aac
"""


def spec(*encoders: str, **video: Any) -> ChannelSpec:
    plain = channel()["renditions"][0]
    rungs = [
        {**plain, "name": f"r{number}", "video": {**plain["video"], "size": "320x180", "encoder": encoder, **video}}
        for number, encoder in enumerate(encoders)
    ]
    return ChannelSpec.model_validate(channel(renditions=rungs))


def binary(path: Path) -> Binary:
    return Binary(path, "5.1", (57, 28), "settings", NAMES)


@pytest.fixture
def scripted(tmp_path: Path) -> Callable[[str], Binary]:
    """An FFmpeg that only answers tests: notes each in ``asked``, then does what a line of Python says."""

    def make(line: str) -> Binary:
        script = tmp_path / "ffmpeg"
        script.write_text(
            f"#!{sys.executable} -IS\nimport sys, time\n"
            f"open({str(tmp_path / 'asked')!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n')\n{line}\n"
        )
        script.chmod(0o755)
        return binary(script)

    return make


@pytest.fixture
def asked(tmp_path: Path) -> Callable[[], list[str]]:
    return lambda: (tmp_path / "asked").read_text().splitlines() if (tmp_path / "asked").exists() else []


@pytest.mark.parametrize("path", [Path("/usr/bin/ffmpeg"), carried()], ids=["debian", "carried"])
async def test_a_real_ffmpeg_says_why_there_is_no_nvenc(path: Path) -> None:
    if not path.exists():
        pytest.skip(f"there is no {path}")
    if shutil.which("nvidia-smi"):
        pytest.skip("this machine may have NVENC")
    tests = Hardware()

    await tests.test_for(spec("nvenc"), binary(path))

    assert tests.tested == {"h264_nvenc": Trial(fault="Cannot load libcuda.so.1")}


async def test_that_works_is_known_to_work(scripted: Any, asked: Any, tmp_path: Path) -> None:
    tests = Hardware(tmp_path)

    await tests.test_for(spec("nvenc", "nvenc"), scripted(""))

    assert tests.tested == {"h264_nvenc": Trial()}
    assert len(asked()) == 1
    assert "-c:v h264_nvenc" in asked()[0]


async def test_auto_starts_no_test_where_no_driver_has_found_anything(
    scripted: Any, asked: Any, tmp_path: Path
) -> None:
    tests = Hardware(tmp_path)

    await tests.test_for(spec("auto"), scripted(""))

    assert tests.tested == {}
    assert asked() == []


async def test_auto_tests_what_a_driver_has_found(scripted: Any, tmp_path: Path) -> None:
    (tmp_path / "nvidia0").touch()
    tests = Hardware(tmp_path)

    await tests.test_for(spec("auto"), scripted(""))

    assert set(tests.tested) == {"h264_nvenc"}


async def test_vaapi_takes_the_device_that_works(scripted: Any, tmp_path: Path) -> None:
    (tmp_path / "dri").mkdir()
    for node in ("renderD128", "renderD129"):
        (tmp_path / "dri" / node).touch()
    tests = Hardware(tmp_path)

    await tests.test_for(spec("vaapi"), scripted("sys.exit(0 if 'renderD129' in ' '.join(sys.argv) else 1)"))

    assert tests.tested == {"h264_vaapi": Trial(str(tmp_path / "dri" / "renderD129"))}


async def test_channels_that_start_together_share_a_test_and_its_answer(
    scripted: Any, asked: Any, tmp_path: Path
) -> None:
    tests, made = Hardware(tmp_path), scripted("time.sleep(0.2)\nsys.exit(1)")

    await asyncio.gather(*(tests.test_for(spec("nvenc"), made) for _ in range(20)))
    await tests.test_for(spec("nvenc"), made)

    assert len(asked()) == 1
    assert tests.tested["h264_nvenc"].fault == "a test of it ended with 1"


async def test_an_old_answer_and_another_ffmpeg_are_tested_anew(
    scripted: Any, asked: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tests, made = Hardware(tmp_path), scripted("sys.exit(1)")
    await tests.test_for(spec("nvenc"), made)

    await tests.test_for(spec("nvenc"), binary(made.path))
    assert len(asked()) == 2
    monkeypatch.setattr(hardware, "FAILS_S", 0.0)
    await tests.test_for(spec("nvenc"), made)
    assert len(asked()) == 3


async def test_a_test_that_hangs_holds_up_a_start_for_a_short_time_only(
    scripted: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardware, "WAIT_S", 0.1)
    monkeypatch.setattr(hardware, "LIMIT_S", 0.5)
    tests, made = Hardware(tmp_path), scripted("time.sleep(60)")
    began = time.monotonic()

    await tests.test_for(spec("nvenc"), made)

    assert tests.tested == {}
    assert time.monotonic() - began < 30
    while not tests.tested:
        await tests.test_for(spec("nvenc"), made)
    assert tests.tested["h264_nvenc"].fault


async def test_hardware_that_fails_a_channel_is_not_used_for_a_while(scripted: Any, asked: Any, tmp_path: Path) -> None:
    tests, made = Hardware(tmp_path), scripted("")
    await tests.test_for(spec("nvenc"), made)

    tests.distrust(frozenset({"h264_nvenc", "libx264"}), "OpenEncodeSessionEx failed: out of memory (10)")
    await tests.test_for(spec("nvenc"), made)

    assert tests.tested == {"h264_nvenc": Trial(fault="OpenEncodeSessionEx failed: out of memory (10)")}
    assert len(asked()) == 1


class TestAWorker:
    @pytest.fixture
    def fake(self, tmp_path: Path) -> Path:
        script = fake_ffmpeg(tmp_path)
        (script.parent / "answer-encoders").write_text(LISTED)
        return script

    @pytest.fixture
    async def client(self, fake: Path) -> AsyncIterator[WorkerClient]:
        with installation(FFMPEG__PATH=str(fake)) as settings:
            ensure_worker(settings)
            async with WorkerClient(settings.socket) as client:
                yield client

    @pytest.mark.long
    async def test_shows_what_encodes_and_says_so_where_it_is_not_what_was_named(
        self, client: WorkerClient, fake: Path
    ) -> None:
        give_hardware(fake, "h264_nvenc")
        document = spec("nvenc", "vaapi", "auto").document()
        document["outputs"] = [{"url": "hls://test", "segment": "1s"}]

        created = await client.create(document)
        view = await row_of(client, created.id, is_running)

        assert [(picture.encoder, picture.fallback) for picture in view.encoders] == [
            ("h264_nvenc", False),
            ("libx264", True),
            # It works, as the first rendition's test has shown.
            ("h264_nvenc", False),
        ]
        assert view.encoders[1].reason.startswith("vaapi: No VA display found")
        warned = [event.message for event in await client.events() if event.severity is Severity.WARNING]
        assert [text for text in warned if text.startswith("r1 is encoded by libx264: vaapi: No VA display")]
        assert not [text for text in warned if text.startswith(("r0", "r2"))]
        command = await client.command(created.id)
        assert command.argv[command.argv.index("-c:v:0") + 1] == "h264_nvenc"
