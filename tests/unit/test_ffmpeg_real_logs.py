"""Whole logs of runs that failed, as FFmpeg 5.1.9 and 9.0.2 wrote them, and the message that a channel gets."""

from pathlib import Path

import pytest

from transcoder_tui.ffmpeg.diagnosis import Verdict
from transcoder_tui.ffmpeg.side import Side

LOGS = Path(__file__).parent / "ffmpeg_logs"

RUNS = [
    ("enc-nvenc.5.1.9", "test://bars", 1, Side.ENCODER, "this machine has no such GPU, or no driver for it"),
    ("enc-nvenc.9.0.2", "test://bars", 255, Side.ENCODER, "this machine has no such GPU, or no driver for it"),
    ("enc-x265-odd.5.1.9", "test://bars", 1, Side.ENCODER, "the picture's width and height must be even"),
    ("enc-x265-odd.9.0.2", "test://bars", 183, Side.ENCODER, "the picture's width and height must be even"),
    ("file-full-abort.5.1.9", "test://bars", 1, Side.HOST, "the disk of /dev/full is full"),
    ("file-full-abort.9.0.2", "test://bars", 228, Side.HOST, "the disk of /dev/full is full"),
    (
        "file-nodir.5.1.9",
        "test://bars",
        1,
        Side.OUTPUT,
        "/srv/media/none/x.ts cannot be opened: No such file or directory",
    ),
    (
        "file-nodir.9.0.2",
        "test://bars",
        254,
        Side.OUTPUT,
        "/srv/media/none/x.ts cannot be opened: No such file or directory",
    ),
    ("file-scrambled.5.1.9", "file://scrambled.ts", 1, Side.SOURCE, "nothing of file://scrambled.ts could be decoded"),
    (
        "file-scrambled.9.0.2",
        "file://scrambled.ts",
        183,
        Side.SOURCE,
        "nothing of file://scrambled.ts could be decoded",
    ),
    ("flv-mp2.5.1.9", "test://bars", 1, Side.OUTPUT, "an output's container does not take this codec"),
    ("flv-mp2.9.0.2", "test://bars", 218, Side.OUTPUT, "an output's container does not take this codec"),
    ("font-file.5.1.9", "test://bars", 1, Side.ENCODER, "the font of a text cannot be found"),
    ("font-file.9.0.2", "test://bars", 254, Side.ENCODER, "the font of a text cannot be found"),
    ("hls-keyfile.5.1.9", "test://bars", 1, Side.OUTPUT, "the key that encrypts an HLS output cannot be read"),
    ("hls-keyfile.9.0.2", "test://bars", 254, Side.OUTPUT, "the key that encrypts an HLS output cannot be read"),
    (
        "hls-nodir.5.1.9",
        "test://bars",
        1,
        Side.OUTPUT,
        "/srv/media/none/i.m3u8 cannot be written: its directory is gone, full or closed to us",
    ),
    (
        "hls-nodir.9.0.2",
        "test://bars",
        254,
        Side.OUTPUT,
        "/srv/media/none/i.m3u8 cannot be written: its directory is gone, full or closed to us",
    ),
    (
        "hls-nokey.5.1.9",
        "http://127.0.0.1:8801/nokey.m3u8",
        1,
        Side.SOURCE,
        "the key of http://127.0.0.1:8801/nokey.m3u8, which is encrypted, cannot be fetched",
    ),
    (
        "hls-nokey.9.0.2",
        "http://127.0.0.1:8801/nokey.m3u8",
        183,
        Side.SOURCE,
        "the key of http://127.0.0.1:8801/nokey.m3u8, which is encrypted, cannot be fetched",
    ),
    (
        "http-404.5.1.9",
        "http://127.0.0.1:8801/404",
        1,
        Side.SOURCE,
        "http://127.0.0.1:8801/404 does not exist on its server",
    ),
    (
        "http-404.9.0.2",
        "http://127.0.0.1:8801/404",
        8,
        Side.SOURCE,
        "http://127.0.0.1:8801/404 does not exist on its server",
    ),
    (
        "https-selfsigned.5.1.9",
        "https://127.0.0.1:8802/x",
        1,
        Side.SOURCE,
        "the TLS certificate of https://127.0.0.1:8802/x is not trusted",
    ),
    (
        "https-selfsigned.9.0.2",
        "https://127.0.0.1:8802/x",
        251,
        Side.SOURCE,
        "the TLS certificate of https://127.0.0.1:8802/x is not trusted",
    ),
    ("logo.5.1.9", "test://bars", 1, Side.ENCODER, "the picture of the logo cannot be read"),
    ("logo.9.0.2", "test://bars", 254, Side.ENCODER, "the picture of the logo cannot be read"),
    ("noroute-rtmp.5.1.9", "test://bars", 1, Side.OUTPUT, "there is no route to rtmp://192.0.2.9/live"),
    ("noroute-rtmp.9.0.2", "test://bars", 155, Side.OUTPUT, "there is no route to rtmp://192.0.2.9/live"),
    ("noroute-udp.5.1.9", "test://bars", 1, Side.OUTPUT, "there is no route to udp://239.1.1.9:8860"),
    ("noroute-udp.9.0.2", "test://bars", 155, Side.OUTPUT, "there is no route to udp://239.1.1.9:8860"),
    ("overrun.5.1.9", "udp://127.0.0.1:8870", 0, Side.HOST, "this machine is too slow for udp://127.0.0.1:8870"),
    ("overrun.9.0.2", "udp://127.0.0.1:8870", 0, Side.HOST, "this machine is too slow for udp://127.0.0.1:8870"),
    (
        "playlist-crash.5.1.9",
        "file://a.ts",
        -11,
        Side.SOURCE,
        "a file of the playlist cannot be read; FFmpeg crashed of it (SIGSEGV)",
    ),
    (
        "playlist-crash.9.0.2",
        "file://a.ts",
        -11,
        Side.SOURCE,
        "a file of the playlist cannot be read; FFmpeg crashed of it (SIGSEGV)",
    ),
    (
        "rtmp-busy2.5.1.9",
        "test://bars",
        1,
        Side.OUTPUT,
        "the server of rtmp://127.0.0.1:8835/live refuses: Already publishing",
    ),
    (
        "rtmp-dies.5.1.9",
        "test://bars",
        1,
        Side.OUTPUT,
        "the remote end of rtmp://127.0.0.1:8836/live closed the connection",
    ),
    (
        "rtmp-dies.9.0.2",
        "test://bars",
        224,
        Side.OUTPUT,
        "the remote end of rtmp://127.0.0.1:8836/live closed the connection",
    ),
    (
        "rtmp-listen-waits.5.1.9",
        "rtmp://127.0.0.1:8831/app/key",
        1,
        Side.SOURCE,
        "nobody has called rtmp://127.0.0.1:8831/app/key, which waits for its caller",
    ),
    (
        "rtmp-listen-waits.9.0.2",
        "rtmp://127.0.0.1:8831/app/key",
        146,
        Side.SOURCE,
        "nobody has called rtmp://127.0.0.1:8831/app/key, which waits for its caller",
    ),
    (
        "rtmps-selfsigned.5.1.9",
        "test://bars",
        1,
        Side.OUTPUT,
        "the TLS certificate of rtmps://127.0.0.1:8802/live is not trusted",
    ),
    (
        "rtmps-selfsigned.9.0.2",
        "test://bars",
        251,
        Side.OUTPUT,
        "the TLS certificate of rtmps://127.0.0.1:8802/live is not trusted",
    ),
    ("rtsp-401.5.1.9", "rtsp://127.0.0.1:8803/401", 1, Side.SOURCE, "rtsp://127.0.0.1:8803/401 wants a login"),
    ("rtsp-401.9.0.2", "rtsp://127.0.0.1:8803/401", 8, Side.SOURCE, "rtsp://127.0.0.1:8803/401 wants a login"),
    (
        "srt-listener-in.5.1.9",
        "srt://127.0.0.1:8840?mode=listener",
        1,
        Side.SOURCE,
        "nobody has called srt://127.0.0.1:8840?mode=listener, which waits for its caller",
    ),
    (
        "srt-listener-in.9.0.2",
        "srt://127.0.0.1:8840?mode=listener",
        146,
        Side.SOURCE,
        "nobody has called srt://127.0.0.1:8840?mode=listener, which waits for its caller",
    ),
    (
        "srt-pass.5.1.9",
        "srt://127.0.0.1:8888?mode=listener",
        1,
        Side.SOURCE,
        "a caller of srt://127.0.0.1:8888?mode=listener came with another passphrase",
    ),
    (
        "srt-pass.9.0.2",
        "srt://127.0.0.1:8888?mode=listener",
        146,
        Side.SOURCE,
        "a caller of srt://127.0.0.1:8888?mode=listener came with another passphrase",
    ),
    (
        "udp-noprog.5.1.9",
        "udp://127.0.0.1:8852",
        1,
        Side.SOURCE,
        "udp://127.0.0.1:8852 does not carry the chosen program",
    ),
    (
        "udp-noprog.9.0.2",
        "udp://127.0.0.1:8852",
        234,
        Side.SOURCE,
        "udp://127.0.0.1:8852 does not carry the chosen program",
    ),
    ("udp-silent.5.1.9", "udp://127.0.0.1:8850", 1, Side.SOURCE, "no packets from udp://127.0.0.1:8850 for 5 s"),
    ("udp-silent.9.0.2", "udp://127.0.0.1:8850", 251, Side.SOURCE, "no packets from udp://127.0.0.1:8850 for 5 s"),
    (
        "udp-taken.5.1.9",
        "udp://127.0.0.1:8810",
        1,
        Side.SOURCE,
        "the port of udp://127.0.0.1:8810 is taken by another program on this host",
    ),
    (
        "udp-taken.9.0.2",
        "udp://127.0.0.1:8810",
        231,
        Side.SOURCE,
        "the port of udp://127.0.0.1:8810 is taken by another program on this host",
    ),
]
"""Name of the log, source, exit code, whose fault it is, message."""


@pytest.mark.parametrize(("log", "source", "exit_code", "side", "cause"), RUNS, ids=[run[0] for run in RUNS])
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
    assert {run[0] for run in RUNS} == {path.stem for path in LOGS.glob("*.log")}
