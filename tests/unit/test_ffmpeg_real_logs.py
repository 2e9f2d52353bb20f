"""Whole logs of runs that failed, as FFmpeg 5.1.9 and 9.0.2 wrote them, and the message that a channel gets."""

from pathlib import Path

import pytest

from transcoder_tui.ffmpeg.diagnosis import Verdict
from transcoder_tui.ffmpeg.side import Side

LOGS = Path(__file__).parent / "ffmpeg_logs"

RUNS = [
    (
        "enc-nvenc",
        "test://bars",
        {"5.1.9": 1, "9.0.2": 255},
        Side.ENCODER,
        "this machine has no such GPU, or no driver for it",
    ),
    (
        "enc-x265-odd",
        "test://bars",
        {"5.1.9": 1, "9.0.2": 183},
        Side.ENCODER,
        "the picture's width and height must be even",
    ),
    ("file-full-abort", "test://bars", {"5.1.9": 1, "9.0.2": 228}, Side.HOST, "the disk of /dev/full is full"),
    (
        "file-nodir",
        "test://bars",
        {"5.1.9": 1, "9.0.2": 254},
        Side.OUTPUT,
        "/srv/media/none/x.ts cannot be opened: No such file or directory",
    ),
    (
        "file-scrambled",
        "file://scrambled.ts",
        {"5.1.9": 1, "9.0.2": 183},
        Side.SOURCE,
        "nothing of file://scrambled.ts could be decoded",
    ),
    (
        "flv-mp2",
        "test://bars",
        {"5.1.9": 1, "9.0.2": 218},
        Side.OUTPUT,
        "an output's container does not take this codec",
    ),
    ("font-file", "test://bars", {"5.1.9": 1, "9.0.2": 254}, Side.ENCODER, "the font of a text cannot be found"),
    (
        "hls-keyfile",
        "test://bars",
        {"5.1.9": 1, "9.0.2": 254},
        Side.OUTPUT,
        "the key that encrypts an HLS output cannot be read",
    ),
    (
        "hls-nodir",
        "test://bars",
        {"5.1.9": 1, "9.0.2": 254},
        Side.OUTPUT,
        "/srv/media/none/i.m3u8 cannot be written: its directory is gone, full or closed to us",
    ),
    (
        "hls-nokey",
        "http://127.0.0.1:8801/nokey.m3u8",
        {"5.1.9": 1, "9.0.2": 183},
        Side.SOURCE,
        "the key of http://127.0.0.1:8801/nokey.m3u8, which is encrypted, cannot be fetched",
    ),
    (
        "http-404",
        "http://127.0.0.1:8801/404",
        {"5.1.9": 1, "9.0.2": 8},
        Side.SOURCE,
        "http://127.0.0.1:8801/404 does not exist on its server",
    ),
    (
        "https-selfsigned",
        "https://127.0.0.1:8802/x",
        {"5.1.9": 1, "9.0.2": 251},
        Side.SOURCE,
        "the TLS certificate of https://127.0.0.1:8802/x is not trusted",
    ),
    ("logo", "test://bars", {"5.1.9": 1, "9.0.2": 254}, Side.ENCODER, "the picture of the logo cannot be read"),
    (
        "noroute-rtmp",
        "test://bars",
        {"5.1.9": 1, "9.0.2": 155},
        Side.OUTPUT,
        "there is no route to rtmp://192.0.2.9/live",
    ),
    (
        "noroute-udp",
        "test://bars",
        {"5.1.9": 1, "9.0.2": 155},
        Side.OUTPUT,
        "there is no route to udp://239.1.1.9:8860",
    ),
    (
        "overrun",
        "udp://127.0.0.1:8870",
        {"5.1.9": 0, "9.0.2": 0},
        Side.HOST,
        "this machine is too slow for udp://127.0.0.1:8870",
    ),
    (
        "playlist-crash",
        "file://a.ts",
        {"5.1.9": -11, "9.0.2": -11},
        Side.SOURCE,
        "a file of the playlist cannot be read; FFmpeg crashed of it (SIGSEGV)",
    ),
    (
        "rtmp-busy2",
        "test://bars",
        {"5.1.9": 1},
        Side.OUTPUT,
        "the server of rtmp://127.0.0.1:8835/live refuses: Already publishing",
    ),
    (
        "rtmp-dies",
        "test://bars",
        {"5.1.9": 1, "9.0.2": 224},
        Side.OUTPUT,
        "the remote end of rtmp://127.0.0.1:8836/live closed the connection",
    ),
    (
        "rtmp-listen-waits",
        "rtmp://127.0.0.1:8831/app/key",
        {"5.1.9": 1, "9.0.2": 146},
        Side.SOURCE,
        "nobody has called rtmp://127.0.0.1:8831/app/key, which waits for its caller",
    ),
    (
        "rtmps-selfsigned",
        "test://bars",
        {"5.1.9": 1, "9.0.2": 251},
        Side.OUTPUT,
        "the TLS certificate of rtmps://127.0.0.1:8802/live is not trusted",
    ),
    (
        "rtsp-401",
        "rtsp://127.0.0.1:8803/401",
        {"5.1.9": 1, "9.0.2": 8},
        Side.SOURCE,
        "rtsp://127.0.0.1:8803/401 wants a login",
    ),
    (
        "srt-listener-in",
        "srt://127.0.0.1:8840?mode=listener",
        {"5.1.9": 1, "9.0.2": 146},
        Side.SOURCE,
        "nobody has called srt://127.0.0.1:8840?mode=listener, which waits for its caller",
    ),
    (
        "srt-pass",
        "srt://127.0.0.1:8888?mode=listener",
        {"5.1.9": 1, "9.0.2": 146},
        Side.SOURCE,
        "a caller of srt://127.0.0.1:8888?mode=listener came with another passphrase",
    ),
    (
        "udp-noprog",
        "udp://127.0.0.1:8852",
        {"5.1.9": 1, "9.0.2": 234},
        Side.SOURCE,
        "udp://127.0.0.1:8852 does not carry the chosen program",
    ),
    (
        "udp-silent",
        "udp://127.0.0.1:8850",
        {"5.1.9": 1, "9.0.2": 251},
        Side.SOURCE,
        "no packets from udp://127.0.0.1:8850 for 5 s",
    ),
    (
        "udp-taken",
        "udp://127.0.0.1:8810",
        {"5.1.9": 1, "9.0.2": 231},
        Side.SOURCE,
        "the port of udp://127.0.0.1:8810 is taken by another program on this host",
    ),
]
"""Name of the logs, source, exit code of each version, whose fault it is, message."""


LOGGED = [
    pytest.param(f"{name}.{version}", source, exit_code, side, cause, id=f"{name}.{version}")
    for name, source, exit_codes, side, cause in RUNS
    for version, exit_code in exit_codes.items()
]


@pytest.mark.parametrize(("log", "source", "exit_code", "side", "cause"), LOGGED)
def test_the_message_of_a_failed_run_is_its_cause(
    log: str, source: str, exit_code: int, side: Side, cause: str
) -> None:
    verdict = Verdict(source)
    for line in (LOGS / f"{log}.log").read_text().splitlines():
        verdict.feed(line)

    found = verdict.result(exit_code, ours=False)

    assert (found.cause, found.side) == (cause, side)
    assert found.remedy


def test_every_log_is_read() -> None:
    assert {case.id for case in LOGGED} == {path.stem for path in LOGS.glob("*.log")}
