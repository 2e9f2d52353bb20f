"""The readers themselves, on captures with a fault that was put in: each figure must notice its own."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conformance_figures import (
    AV_OFFSET,
    BACKWARDS,
    CBR,
    CC_ERRORS,
    MISSING_PIDS,
    PAT_GAP,
    PCR_ACCURACY,
    PCR_GAP,
    PICTURE_STEP,
    PMT_GAP,
    PTS_GAP,
    SYNC,
    WRONG_SERVICE,
    WRONG_STREAMS,
    Figure,
    Reading,
    worst,
)
from conformance_rig import tool, tool_path
from feeds import PROGRAMME_RATE
from media_readings import Expected, frames_lost, media_readings
from transport_stream import Service, transport_stream_readings
from ts_analyser import analyse

PACKET = 188
PROGRAMME = Service("Service01", "FFmpeg")
AS_MADE = Expected("h264", (480, 270), 25.0, "mp2")

Packets = list[bytes]
Damage = Callable[[Packets], Packets]

pytestmark = pytest.mark.quick


@pytest.fixture(scope="session")
def programme(media: Path) -> Packets:
    """Some seconds of the programme."""
    data = (media / "programme.ts").read_bytes()
    return [data[at : at + PACKET] for at in range(0, 8 * PROGRAMME_RATE // 8 // PACKET * PACKET, PACKET)]


def pid_of(packet: bytes) -> int:
    return int.from_bytes(packet[1:3], "big") & 0x1FFF


def without_one(packets: Packets) -> Packets:
    at = next(at for at in range(5000, len(packets)) if pid_of(packets[at]) == 0x100 and packets[at][3] & 0x30 == 0x10)
    return packets[:at] + packets[at + 1 :]


def hidden(pid: int, begin: int, end: int) -> Damage:
    """Replaces a PID by null packets for a while."""
    null = b"\x47\x1f\xff\x10" + b"\xff" * (PACKET - 4)

    def damage(packets: Packets) -> Packets:
        return [null if begin <= at < end and pid_of(one) == pid else one for at, one in enumerate(packets)]

    return damage


def with_late_pcr(packets: Packets) -> Packets:
    """One PCR is a microsecond late."""
    at = next(at for at in range(5000, len(packets)) if packets[at][3] & 0x20 and packets[at][5] & 0x10)
    packet = bytearray(packets[at])
    base, extension = int.from_bytes(packet[6:11], "big") >> 7, int.from_bytes(packet[10:12], "big") & 0x1FF
    base, extension = divmod(base * 300 + extension + 27, 300)
    packet[6:12] = (base << 15 | 0x3F << 9 | extension).to_bytes(6, "big")
    return [*packets[:at], bytes(packet), *packets[at + 1 :]]


def with_garbage(packets: Packets) -> Packets:
    return [*packets[:5000], b"\x00" * 100, *packets[5000:]]


FAULTS: list[tuple[Figure, Damage]] = [
    (SYNC, with_garbage),
    (CC_ERRORS, without_one),
    (PCR_ACCURACY, with_late_pcr),
    (CBR, lambda packets: packets[:5000] + packets[5005:]),
    (PAT_GAP, hidden(0, 3000, 5000)),
    (PMT_GAP, hidden(0x1000, 3000, 5000)),
    (PCR_GAP, hidden(0x100, 3000, 3200)),
    (PTS_GAP, hidden(0x101, 3000, 5000)),
    (MISSING_PIDS, hidden(0x101, 0, 1 << 30)),
]


def of(packets: Packets, path: Path, service: Service = PROGRAMME) -> dict[str, float]:
    path.write_bytes(b"".join(packets))
    return worst(transport_stream_readings(tool, path, service=service, muxrate=PROGRAMME_RATE))


def test_a_sound_stream_has_no_fault(programme: Packets, tmp_path: Path) -> None:
    path = tmp_path / "sound.ts"
    path.write_bytes(b"".join(programme))

    readings = transport_stream_readings(tool, path, service=PROGRAMME, muxrate=PROGRAMME_RATE)
    readings += media_readings(tool, str(path), AS_MADE)

    assert [str(one) for one in readings if not one.conforms] == []


@pytest.mark.parametrize(("figure", "damage"), FAULTS, ids=[figure.name for figure, _ in FAULTS])
def test_a_damaged_stream_is_noticed(figure: Figure, damage: Damage, programme: Packets, tmp_path: Path) -> None:
    found = of(damage(programme), tmp_path / "damaged.ts")

    assert not Reading(figure, found[figure.name]).conforms


def test_wrong_tables_are_noticed(programme: Packets, tmp_path: Path) -> None:
    for wrong in (
        Service("News", "FFmpeg"),
        Service("Service01", "FFmpeg", number=2),
        Service("Service01", "FFmpeg", pmt_pid=0x1001),
        Service("Service01", "FFmpeg", video_pid=0x101),
    ):
        assert of(programme, tmp_path / "tables.ts", wrong)[WRONG_SERVICE.name] > 0


def test_our_own_analyser_sees_the_same(programme: Packets, tmp_path: Path) -> None:
    theirs = of(without_one(programme), tmp_path / "both.ts")

    ours = analyse((tmp_path / "both.ts").read_bytes())

    assert ours.continuity_errors == theirs[CC_ERRORS.name] == 1
    assert ours.longest_pcr_gap * 1e3 == pytest.approx(theirs[PCR_GAP.name], abs=0.02)


def test_pictures_that_are_lost_between_files_are_noticed(media: Path, tmp_path: Path) -> None:
    clip, short = media / "clip.ts", tmp_path / "short.ts"
    cut = ("-t", "5.8", "-c", "copy", str(short))
    subprocess.run([tool_path("ffmpeg"), "-v", "error", "-i", str(clip), *cut], check=True, stdin=subprocess.DEVNULL)

    assert frames_lost(tool, [str(clip), str(clip)]) == 0
    assert frames_lost(tool, [str(short), str(clip)]) > 0


@pytest.mark.parametrize(
    ("figure", "options"),
    [
        (AV_OFFSET, ("-itsoffset", "0.06", "-i", "{clip}", "-map", "0:v", "-map", "1:a", "-c", "copy")),
        (PICTURE_STEP, ("-map", "0", "-vf", "select='not(eq(n,60))'", "-fps_mode", "passthrough", "-c:a", "copy")),
        (WRONG_STREAMS, ("-map", "0", "-s", "320x180", "-c:a", "copy")),
    ],
    ids=lambda value: value.name if isinstance(value, Figure) else "",
)
def test_wrong_media_are_noticed(figure: Figure, options: tuple[str, ...], media: Path, tmp_path: Path) -> None:
    made = tmp_path / "wrong.ts"
    clip = str(media / "clip.ts")
    ultrafast = ("-c:v", "libx264", "-preset", "ultrafast") if "-c" not in options else ()
    argv = [tool_path("ffmpeg"), "-v", "error", "-i", clip, *(option.format(clip=clip) for option in options)]
    subprocess.run([*argv, *ultrafast, str(made)], check=True, stdin=subprocess.DEVNULL)

    found = worst(media_readings(tool, str(made), AS_MADE))

    assert not Reading(figure, found[figure.name]).conforms
    assert found[BACKWARDS.name] == 0
