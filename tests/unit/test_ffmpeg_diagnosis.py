"""Sample lines are as FFmpeg 5.1.9 and 9.0.2 wrote them when the fault was provoked."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from transcoder_tui.ffmpeg.diagnosis import Diagnosis, LogLine, Verdict, parse_line
from transcoder_tui.ffmpeg.patterns import RULES
from transcoder_tui.ffmpeg.rule import Damage
from transcoder_tui.ffmpeg.side import Side, side_of
from transcoder_tui.models.event import Severity

SOURCE = "udp://239.1.1.1:5000"


@pytest.mark.parametrize(
    ("line", "parsed"),
    [
        (
            "[udp @ 0x55f9bf87ce80] [error] bind failed: Cannot assign requested address\n",
            LogLine("error", "[udp @ 0x55f9bf87ce80] bind failed: Cannot assign requested address"),
        ),
        ("[fatal] Unknown encoder 'libnope'", LogLine("fatal", "Unknown encoder 'libnope'")),
        (
            "[vost#0:0/libx264 @ 0x55b8] [enc:libx264 @ 0x55b9] [error] broken",
            LogLine("error", "[vost#0:0/libx264 @ 0x55b8] [enc:libx264 @ 0x55b9] broken"),
        ),
        ("[info]   Stream #0:0: Video: h264", LogLine("info", "  Stream #0:0: Video: h264")),
        (
            "x264 [error]: baseline profile doesn't support 4:2:2",
            LogLine("error", "x264 [error]: baseline profile doesn't support 4:2:2"),
        ),
        ("    Last message repeated 3 times", LogLine("info", "    Last message repeated 3 times")),
        ("[hls @ 0x1] [panic] worse than fatal", LogLine("fatal", "[hls @ 0x1] worse than fatal")),
        ("2026-11-22 13:32:29.714 [warning] late", LogLine("warning", "late")),
        ("Svt[error]: Instance 1: too small", LogLine("error", "Svt[error]: Instance 1: too small")),
        ("20:38:54.496246/SRT:TsbPd!W:SRT.br: late", LogLine("warning", "20:38:54.496246/SRT:TsbPd!W:SRT.br: late")),
        ("20:38:59.249740/SRT:RcvQ:w1*E:SRT.cn: no", LogLine("error", "20:38:59.249740/SRT:RcvQ:w1*E:SRT.cn: no")),
        ("", LogLine("info", "")),
        ("[error", LogLine("info", "[error")),
    ],
)
def test_a_line_is_parted_into_level_and_text_with_its_context(line: str, parsed: LogLine) -> None:
    assert parse_line(line) == parsed


SAMPLES = Path(__file__).parent / "ffmpeg_lines.txt"


def samples() -> Iterator[tuple[str, str, str]]:
    """What a line is taken for, the version that printed it, and the line."""
    meaning = ""
    for text in SAMPLES.read_text().splitlines():
        if text.startswith("    "):
            version, _, line = text.strip().partition(" ")
            yield meaning, version, line
        elif text and not text.startswith("#"):
            meaning = text


def meaning_of(found: Diagnosis) -> str:
    end = "ends" if found.fatal else "goes on"
    return f"{found.severity}, {end}{'' if found.heals else ', for good'}, {found.side}: {found.cause}"


@pytest.mark.parametrize(("meaning", "version", "line"), samples())
def test_a_line_that_ffmpeg_printed_means(meaning: str, version: str, line: str) -> None:
    found = Verdict(SOURCE).feed(line).means

    assert version in ("5.1.9", "9.0.2")
    assert found is not None
    assert meaning_of(found) == meaning
    assert "s3cr3tkey" not in found.cause


@pytest.mark.parametrize("version", ["5.1.9", "9.0.2"])
def test_the_table_is_made_of_lines_that_were_printed(version: str) -> None:
    met, alone = set(), set()
    for _, printed_by, line in samples():
        text = parse_line(line).text
        (alone if printed_by != version else met).add(next(rule for rule in RULES if rule.pattern.search(text)))

    assert [rule.cause for rule in RULES if rule not in met | alone] == []
    assert len(met) >= 70


@pytest.mark.parametrize(
    "line",
    [
        "[info] Stream mapping:",
        "[libx264 @ 0x1] [info] using SAR=1/1",
        "[mpegts @ 0x1] [verbose] frame size not set",
        "[out#0/mpegts @ 0x1] [error] Task finished with error code: -28 (No space left on device)",
        "[error] Error closing file rtmp://h/live/key: Broken pipe",
        "[flv @ 0x55] [warning] Failed to update header with correct duration.",
        "x265 [warning]: Source height < 720p; disabling lookahead-slices",
        "[ac3 @ 0x55f885f290c0] [error]   5.0(side)",
        "[info]       service_name    : Broken pipe, No space left on device",
        "[info]       service_name    : RTP: missed 999 packets",
        "",
    ],
)
def test_a_line_that_tells_nothing_new_is_passed_over(line: str) -> None:
    reading = Verdict(SOURCE).feed(line)

    assert (reading.means, reading.counts) == (None, None)


@pytest.mark.parametrize(("level", "severity"), [("error", "error"), ("fatal", "error"), ("warning", "warning")])
def test_a_line_that_no_rule_knows_is_quoted_and_as_grave_as_ffmpeg_says(level: str, severity: str) -> None:
    found = Verdict(SOURCE, ("s3cret",)).feed(f"[out#0/flv @ 0x1] [{level}] The moon s3cret is in the way").means

    assert found is not None
    assert meaning_of(found) == f"{severity}, goes on, output: FFmpeg says: The moon *** is in the way"
    assert found.remedy


@pytest.mark.parametrize(
    ("line", "counts", "times"),
    [
        ("[mpegts @ 0x1] [warning] Packet corrupt (stream = 0, dts = 396902), dropping it.", Damage.CORRUPT, 1),
        ("[warning] udp://127.0.0.1:8877: corrupt input packet in stream 0", Damage.CORRUPT, 1),
        ("[mpegts @ 0x1] [warning] Packet corrupt (stream = 0, dts = 396902).", None, 0),
        ("[rtp @ 0x1] [warning] RTP: missed 12 packets", Damage.LOST, 12),
        ("20:38:54.496246/SRT:TsbPd!W:SRT.br: @107:RCV-DROPPED 3 packet(s). Packet seqno %45", Damage.LOST, 3),
        ("[vist#0:0/h264 @ 0x1] [dec:h264 @ 0x2] [warning] corrupt decoded frame", Damage.UNDECODED, 1),
        ("[udp @ 0x1] [warning] Circular buffer overrun. Surviving due to overrun_nonfatal option", Damage.OVERRUN, 1),
        ("[h264 @ 0x1] [error] error while decoding MB 5 1", None, 0),
    ],
)
def test_damage_is_counted_once_for_each_packet(line: str, counts: Damage | None, times: int) -> None:
    reading = Verdict(SOURCE).feed(line)

    assert (reading.counts, reading.times) == (counts, times)


def test_a_line_that_ffmpeg_repeats_is_counted_as_often() -> None:
    reader = Verdict(SOURCE)
    reader.feed("[udp @ 0x1] [warning] Circular buffer overrun. Surviving due to overrun_nonfatal option")
    repeated = reader.feed("    Last message repeated 218 times")
    assert (repeated.counts, repeated.times) == (Damage.OVERRUN, 218)

    reader.feed("[warning] More than 1000 frames duplicated")
    assert reader.feed("    Last message repeated 3 times").counts is None


OUTPUTS = """\
[info] Output #0, tee, to '[select=\\'v:0,a\\':f=mpegts:onfail=abort]udp://239.1.1.2:5000?ttl=1|[select=\\'v:0,a\\'\
:f=flv:onfail=ignore]rtmp://10.0.0.1/live/k|[f=hls:hls_segment_filename=/srv/hls/n/s_%d.ts]/srv/hls/n/%v/i.m3u8':
"""


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        (
            "[tee @ 0x1] [error] Slave muxer #1 failed: Broken pipe, continuing with 2/3 slaves.",
            "rtmp://10.0.0.1/live was lost: Broken pipe; the other outputs go on",
        ),
        (
            "[tee @ 0x1] [error] Slave muxer #2 failed: Input/output error, continuing with 2/3 slaves.",
            "/srv/hls/n was lost: Input/output error; the other outputs go on",
        ),
        (
            "[tee @ 0x1] [error] Slave muxer #9 failed: Broken pipe, continuing with 2/3 slaves.",
            "an output was lost: Broken pipe; the other outputs go on",
        ),
    ],
)
def test_one_of_several_outputs_is_called_by_its_address(line: str, cause: str) -> None:
    reader = Verdict(SOURCE)
    reader.feed(OUTPUTS)

    found = reader.feed(line).means

    assert found is not None
    assert found.cause == cause


@pytest.mark.parametrize(
    ("lines", "cause", "remedy"),
    [
        (
            ["[rtmp @ 0x1] [error] Server error: Already publishing"],
            "rtmp://10.0.0.1/live is down and tried again every 2 s: the server of this output refuses: Already "
            "publishing; the other outputs go on",
            "nobody else publishes with it",
        ),
        (
            [
                "[tcp @ 0x1] [error] Connection to tcp://10.0.0.1:1935?tcp_nodelay=0 failed: Connection refused",
                "[rtmp @ 0x1] [error] Cannot open connection tcp://10.0.0.1:1935?tcp_nodelay=0",
            ],
            "rtmp://10.0.0.1/live is down and tried again every 2 s: the server at 10.0.0.1:1935 refused the "
            "connection; the other outputs go on",
            "check that it runs and listens on this port",
        ),
        (
            ["[udp @ 0x1] [error] bind failed: Address already in use", "[fifo @ 0x2] [info] Recovery successful"],
            "rtmp://10.0.0.1/live is down and tried again every 2 s; the other outputs go on",
            "accepts this stream key",
        ),
        (
            ["[in#0/mpegts @ 0x1] [error] Error during demuxing: Input/output error"],
            "rtmp://10.0.0.1/live is down and tried again every 2 s; the other outputs go on",
            "accepts this stream key",
        ),
    ],
)
def test_an_output_that_is_tried_again_is_told_with_its_cause(lines: list[str], cause: str, remedy: str) -> None:
    reader = Verdict(SOURCE)
    reader.feed(OUTPUTS)
    for line in lines:
        reader.feed(line)

    found = reader.feed("[fifo @ 0x1] [error] Error opening rtmp://10.0.0.1/live/k: Operation not permitted").means

    assert found is not None
    assert found.cause == cause
    assert remedy in found.remedy
    assert reader.is_clear


def test_the_output_that_ended_ffmpeg_is_named_where_a_later_line_tells_it() -> None:
    reader = Verdict(SOURCE)
    reader.feed(OUTPUTS)
    reader.feed("[vost#0:0/libx264 @ 0x1] [error] Error submitting a packet to the muxer: Broken pipe")
    assert reader.result(224, ours=False).cause == "the remote end of an output closed the connection"

    reader.feed("[tee @ 0x1] [error] Slave muxer #0 failed, aborting.")
    assert reader.result(224, ours=False).cause == "the remote end of udp://239.1.1.2:5000 closed the connection"


def test_a_general_cause_is_told_with_the_line_that_no_rule_knows() -> None:
    log = (
        "[libx264 @ 0x1] [error] The planets are not aligned\n"
        "[vost#0:0/libx264 @ 0x2] [enc:libx264 @ 0x3] [error] Error while opening encoder - maybe incorrect parameters"
    )

    assert verdict(log).cause == "the encoder does not accept its settings: The planets are not aligned"


def test_a_timeout_of_an_output_is_no_silence_of_the_source() -> None:
    found = verdict("[error] rtmp://127.0.0.1:8835/nope/s3cr3tkey: Input/output error")

    assert (found.cause, found.side) == ("the server of rtmp://127.0.0.1:8835/nope refuses the stream", Side.OUTPUT)


def verdict(log: str, exit_code: int | None = 1, *, source: str = SOURCE, secrets: tuple[str, ...] = ()) -> Diagnosis:
    reader = Verdict(source, secrets)
    for line in log.splitlines():
        reader.feed(line)
    return reader.result(exit_code, ours=False)


ENDS = [
    pytest.param(
        "[mpegts @ 0x557b6fbbeb40] [warning] Could not detect TS packet size, defaulting to non-FEC/DVHS\n"
        "[fatal] udp://239.1.1.1:5000?fifo_size=50000&timeout=5000000: could not find codec parameters",
        "no packets from udp://239.1.1.1:5000 for 5 s",
        True,
        Side.SOURCE,
        id="5.1 dead UDP input",
    ),
    pytest.param(
        "[in#0 @ 0x1] [warning] Could not detect TS packet size, defaulting to non-FEC/DVHS\n"
        "[in#0/mpegts @ 0x2] [fatal] could not find codec parameters\n"
        "[error] Error opening input file udp://239.1.1.1:5000?timeout=5000000.",
        "no packets from udp://239.1.1.1:5000 for 5 s",
        True,
        Side.SOURCE,
        id="9.0 dead UDP input",
    ),
    pytest.param(
        "[error] udp://239.1.1.1:5000?timeout=5000000: Input/output error\n    Last message repeated 2 times",
        "no packets from udp://239.1.1.1:5000 for 5 s",
        True,
        Side.SOURCE,
        id="5.1 UDP input stops",
    ),
    pytest.param(
        "[in#0/mpegts @ 0x1] [error] Error during demuxing: Input/output error",
        "no packets from udp://239.1.1.1:5000 for 5 s",
        True,
        Side.SOURCE,
        id="9.0 UDP input stops",
    ),
    pytest.param(
        "[in#0 @ 0x1] [error] Error opening input: Input/output error\n"
        "[error] Error opening input file udp://239.1.1.1:5000?timeout=5000000.",
        "no packets from udp://239.1.1.1:5000 for 5 s",
        True,
        Side.SOURCE,
        id="9.0 dead UDP input, probed",
    ),
    pytest.param(
        "[in#0 @ 0x1] [error] Format not on whitelist 'mpegts'\n"
        "[in#0 @ 0x2] [error] Error opening input: Invalid argument",
        "what arrives from udp://239.1.1.1:5000 is no transport stream",
        True,
        Side.SOURCE,
        id="9.0 no transport stream",
    ),
    pytest.param(
        "[in#0/mpegts @ 0x1] [fatal] could not find codec parameters\n"
        "[fatal] Error opening input files: Input/output error",
        "udp://239.1.1.1:5000 delivers no picture and sound that can be recognised",
        True,
        Side.SOURCE,
        id="9.0 UDP input without a programme",
    ),
    pytest.param(
        "[tcp @ 0x1] [error] Connection to tcp://127.0.0.1:1946?tcp_nodelay=0 failed: Connection refused\n"
        "[rtmp @ 0x1] [error] Cannot open connection tcp://127.0.0.1:1946?tcp_nodelay=0\n"
        "[error] rtmp://127.0.0.1:1946/live/k: Connection refused",
        "the server at 127.0.0.1:1946 refused the connection",
        True,
        Side.OUTPUT,
        id="5.1 RTMP server absent",
    ),
    pytest.param(
        "[tcp @ 0x1] [error] Connection to tcp://127.0.0.1:1946?tcp_nodelay=0 failed: Connection refused\n"
        "[rtmp @ 0x1] [error] Cannot open connection tcp://127.0.0.1:1946?tcp_nodelay=0\n"
        "[out#0/flv @ 0x1] [fatal] Error opening output rtmp://127.0.0.1:1946/live/k: Connection refused\n"
        "[error] Error opening output file rtmp://127.0.0.1:1946/live/k.\n"
        "[fatal] Error opening output files: Connection refused",
        "the server at 127.0.0.1:1946 refused the connection",
        True,
        Side.OUTPUT,
        id="9.0 RTMP server absent",
    ),
    pytest.param(
        "[error] av_interleaved_write_frame(): Broken pipe\n    Last message repeated 2 times\n"
        "[error] Error writing trailer of rtmp://127.0.0.1:5988/live/key: Broken pipe",
        "the remote end of rtmp://127.0.0.1:5988/live closed the connection",
        True,
        Side.OUTPUT,
        id="5.1 RTMP server leaves",
    ),
    pytest.param(
        "[vost#0:0/libx264 @ 0x1] [error] Error submitting a packet to the muxer: Connection reset by peer\n"
        "[out#0/flv @ 0x1] [error] Error muxing a packet\n"
        "[out#0/flv @ 0x1] [error] Task finished with error code: -104 (Connection reset by peer)",
        "the remote end of an output closed the connection",
        True,
        Side.OUTPUT,
        id="9.0 RTMP server leaves",
    ),
    pytest.param(
        "[udp @ 0x1] [error] setsockopt(IP_ADD_MEMBERSHIP): No such device\n"
        "[error] udp://239.1.1.1:5990?localaddr=10.9.9.9: Inappropriate ioctl for device",
        "the group of udp://239.1.1.1:5000 cannot be joined: no such interface, and no route for multicast",
        True,
        Side.SOURCE,
        id="5.1 input interface absent",
    ),
    pytest.param(
        "[udp @ 0x1] [error] bind failed: Cannot assign requested address\n"
        "[out#0/mpegts @ 0x1] [fatal] Error opening output udp://239.1.1.1:5990?ttl=1: Cannot assign requested address",
        "the interface address of udp://239.1.1.1:5990 is gone from this host",
        True,
        Side.OUTPUT,
        id="9.0 output interface absent",
    ),
    pytest.param(
        "[udp @ 0x1] [error] bind failed: Address already in use\n"
        "[error] udp://127.0.0.1:5993?localaddr=127.0.0.1: Inappropriate ioctl for device",
        "the port of udp://127.0.0.1:5993 is taken by another program on this host",
        True,
        Side.OUTPUT,
        id="5.1 port taken",
    ),
    pytest.param(
        "[srt @ 0x1] [error] Connection to srt://127.0.0.1:5994?mode=caller failed: Connection timed out",
        "no SRT connection to 127.0.0.1:5994: no listener, another passphrase, or a firewall",
        True,
        Side.OUTPUT,
        id="SRT listener absent",
    ),
    pytest.param(
        "[srt @ 0x1] [error] failed to set option SRTO_PASSPHRASE on socket: Operation not supported: Bad parameters",
        "the SRT passphrase is not accepted",
        False,
        Side.UNKNOWN,
        id="SRT passphrase too short",
    ),
    pytest.param(
        "[http @ 0x1] [warning] HTTP error 404 Not Found\n"
        "[error] http://127.0.0.1:5996/404.ts: Server returned 404 Not Found",
        "udp://239.1.1.1:5000 does not exist on its server",
        True,
        Side.SOURCE,
        id="5.1 HTTP 404",
    ),
    pytest.param(
        "[http @ 0x1] [warning] HTTP error 503 Service Unavailable\n"
        "[in#0 @ 0x1] [error] Error opening input: Server returned 5XX Server Error reply",
        "the server of udp://239.1.1.1:5000 has a fault",
        True,
        Side.SOURCE,
        id="9.0 HTTP 503",
    ),
    pytest.param(
        "[fatal] Stream specifier ':a:0' in filtergraph description [0:v:0]null;[0:a:0]anull[a0] matches no streams.",
        "udp://239.1.1.1:5000 has no sound",
        True,
        Side.SOURCE,
        id="5.1 source without sound",
    ),
    pytest.param(
        "[error] av_interleaved_write_frame(): No space left on device\n"
        "[error] Error closing file file:/srv/a.ts: No space left on device",
        "the disk of /srv/a.ts is full",
        True,
        Side.HOST,
        id="5.1 disk full",
    ),
    pytest.param(
        "[vost#0:0/libx264 @ 0x1] [error] Error submitting a packet to the muxer: No space left on device",
        "the disk of an output is full",
        True,
        Side.HOST,
        id="9.0 disk full",
    ),
    pytest.param(
        "[hls @ 0x1] [error] Failed to open file '/srv/hls/n/s_00000000.ts.tmp'\n"
        "[hls @ 0x1] [error] failed to rename file /srv/hls/n/i.tmp to /srv/hls/n/i: No such file or directory",
        "/srv/hls/n/s_00000000.ts.tmp cannot be written: its directory is gone, full or closed to us",
        True,
        Side.OUTPUT,
        id="HLS directory gone",
    ),
    pytest.param(
        "[error] file:/tmp/none/x.ts: No such file or directory",
        "/tmp/none/x.ts does not exist",
        True,
        Side.OUTPUT,
        id="5.1 directory gone",
    ),
    pytest.param(
        "[out#0/mpegts @ 0x1] [fatal] Error opening output file:/tmp/none/x.ts: No such file or directory\n"
        "[error] Error opening output file file:/tmp/none/x.ts.",
        "/tmp/none/x.ts does not exist",
        True,
        Side.OUTPUT,
        id="9.0 directory gone",
    ),
    pytest.param(
        "[tee @ 0x1] [error] Slave '[f=mpegts:onfail=abort]file:/none/a.ts': error opening: No such file or directory\n"
        "[tee @ 0x1] [error] Slave muxer #0 failed, aborting.",
        "/none/a.ts cannot be opened: No such file or directory",
        True,
        Side.OUTPUT,
        id="directory of one of several outputs gone",
    ),
    pytest.param(
        "[tls @ 0x1] [error] Peer certificate failed verification\n[error] https://h/x.ts: Input/output error",
        "the TLS certificate of udp://239.1.1.1:5000 is not trusted",
        True,
        Side.SOURCE,
        id="5.1 certificate not trusted",
    ),
    pytest.param(
        "[tls @ 0x1] [error] error:0A000086:SSL routines::certificate verify failed\n"
        "[in#0 @ 0x1] [error] Error opening input: Input/output error",
        "the TLS certificate of udp://239.1.1.1:5000 is not trusted",
        True,
        Side.SOURCE,
        id="9.0 certificate not trusted",
    ),
    pytest.param(
        "[fatal] Unknown encoder 'libnope'",
        "this FFmpeg has no encoder libnope",
        False,
        Side.ENCODER,
        id="encoder absent",
    ),
    pytest.param(
        "[error] Unrecognized option 'nope'.\n[fatal] Error splitting the argument list: Option not found",
        "this FFmpeg does not know an option that the channel needs",
        False,
        Side.HOST,
        id="option unknown",
    ),
    pytest.param(
        "[AVFilterGraph @ 0x1] [error] No such filter: 'nope'\n[error] Error reinitializing filters!",
        "this FFmpeg has no filter nope",
        False,
        Side.ENCODER,
        id="filter absent",
    ),
    pytest.param(
        "[file @ 0x1] [error] Protocol 'file' not on whitelist 'http,https,tls,tcp'!",
        "a playlist or redirection led to file:, which is not allowed",
        False,
        Side.SOURCE,
        id="playlist refers to a file",
    ),
    pytest.param(
        "[flv @ 0x1] [error] Video codec mpeg2video not compatible with flv",
        "an output's container does not take this codec",
        False,
        Side.OUTPUT,
        id="codec not for FLV",
    ),
]


@pytest.mark.parametrize(("log", "cause", "heals", "side"), ENDS)
def test_the_verdict_names_the_cause_and_whose_fault_it_is(log: str, cause: str, heals: bool, side: Side) -> None:
    found = verdict(log)

    assert found.cause == cause
    assert found.heals is heals
    assert found.side is side
    assert found.remedy


def test_a_name_that_cannot_be_resolved_is_the_fault_of_whoever_bears_it() -> None:
    log = (
        "[tcp @ 0x1] [error] Failed to resolve hostname no-such-host.invalid: Name or service not known\n"
        "[in#0 @ 0x1] [error] Error opening input: Input/output error"
    )
    found = verdict(log, source="http://no-such-host.invalid/a.ts")

    assert (found.cause, found.side) == ("the name no-such-host.invalid cannot be resolved", Side.SOURCE)
    assert verdict(log.splitlines()[0]).side is Side.OUTPUT, "the source, a group, has no name to resolve"


def test_a_read_error_of_another_kind_of_source_is_not_taken_for_silence() -> None:
    reader = Verdict("file://clip.ts")
    reader.feed("[error] file:/srv/clip.ts: Input/output error")
    reader.feed("[in#0 @ 0x1] [error] Error opening input: Input/output error")

    assert reader.result(1, ours=False).cause == "file://clip.ts cannot be opened or read"


def test_the_earliest_fatal_line_wins_over_its_consequences() -> None:
    assert (
        verdict("[error] av_interleaved_write_frame(): No space left on device\n[error] x: Broken pipe").cause
        == "the disk of an output is full"
    )


def test_damaged_packets_of_hours_ago_are_not_the_cause() -> None:
    log = "[error] Error while decoding stream #0:0: Invalid data found when processing input\n" * 3
    log += "[error] udp://239.1.1.1:5000?timeout=5000000: Input/output error"

    assert verdict(log, 0).cause == "no packets from udp://239.1.1.1:5000 for 5 s"


def test_an_output_that_reconnects_is_not_the_cause() -> None:
    log = (
        "[tcp @ 0x1] [error] Connection to tcp://127.0.0.1:1946?tcp_nodelay=0 failed: Connection refused\n"
        "[rtmp @ 0x1] [error] Cannot open connection tcp://127.0.0.1:1946?tcp_nodelay=0\n"
        "[fifo @ 0x1] [error] Error opening rtmp://127.0.0.1:1946/live/k: Connection refused\n"
        "[in#0/mpegts @ 0x1] [error] Error during demuxing: Input/output error"
    )

    assert verdict(log, 0).cause == "no packets from udp://239.1.1.1:5000 for 5 s"


def test_a_stop_of_ours_is_no_fault_whatever_the_log_says() -> None:
    reader = Verdict(SOURCE)
    reader.feed("[error] av_interleaved_write_frame(): Broken pipe")

    found = reader.result(255, ours=True)

    assert (found.severity, found.cause) == (Severity.INFO, "stopped")


def test_a_stop_by_somebody_else_is_told_as_such() -> None:
    assert verdict("[info] Exiting normally, received signal 15.", 255).cause == "stopped by a signal from outside"


@pytest.mark.parametrize(
    ("exit_code", "cause", "side"),
    [
        (None, "FFmpeg ended, and nobody was there to see its exit code", Side.UNKNOWN),
        (0, "FFmpeg ended by itself: udp://239.1.1.1:5000 ended or fell silent", Side.SOURCE),
        (1, "FFmpeg ended with exit code 1", Side.UNKNOWN),
        (127, "FFmpeg could not be executed", Side.HOST),
        (228, "FFmpeg ended: No space left on device (exit code 228)", Side.HOST),
        (251, "FFmpeg ended: Input/output error (exit code 251)", Side.UNKNOWN),
        (-9, "FFmpeg was killed (SIGKILL)", Side.HOST),
        (-11, "FFmpeg crashed (SIGSEGV)", Side.HOST),
        (-13, "FFmpeg was ended by SIGPIPE", Side.HOST),
    ],
)
def test_without_a_telling_line_the_exit_code_is_put_into_words(exit_code: int | None, cause: str, side: Side) -> None:
    found = verdict("[info] Stream mapping:", exit_code)

    assert (found.cause, found.side) == (cause, side)


@pytest.mark.parametrize(
    ("text", "source", "side"),
    [
        (
            "[tcp @ 0x1] Connection to tcp://10.0.0.1:1935 failed: Connection refused",
            "rtmp://10.0.0.1/a/b",
            Side.SOURCE,
        ),
        (
            "[tcp @ 0x1] Connection to tcp://10.0.0.1:1936 failed: Connection refused",
            "rtmp://10.0.0.1/a/b",
            Side.OUTPUT,
        ),
        ("[tcp @ 0x1] Connection to tcp://cdn2:443 failed: Connection refused", "https://cdn1/x.m3u8", Side.UNKNOWN),
        ("[tcp @ 0x1] Failed to resolve hostname cdn1: Name not known", "https://u:***@cdn1/x.m3u8", Side.SOURCE),
        ("[udp @ 0x1] bind failed: Address already in use", SOURCE, Side.UNKNOWN),
        ("udp://239.1.1.1:5000?timeout=5000000: Inappropriate ioctl for device", SOURCE, Side.SOURCE),
        ("udp://239.1.1.2:5000?ttl=1: Inappropriate ioctl for device", SOURCE, Side.OUTPUT),
        ("srt://0.0.0.0:9000?mode=listener: Input/output error", "srt://:9000?mode=listener", Side.SOURCE),
        ("file:/srv/media/a b.ts: Permission denied", "file://a%20b.ts", Side.SOURCE),
        ("file:/srv/media/a.ts: Permission denied", "file:///srv/media/a.ts", Side.SOURCE),
        ("file:/srv/media/b.ts: Permission denied", "file://a.ts", Side.OUTPUT),
        ("udp://239.1.1.1:99999999: bad", SOURCE, Side.UNKNOWN),
        ("udp://239.1.1.1:5000: bad", "the source", Side.UNKNOWN),
        ("nothing of interest", SOURCE, Side.UNKNOWN),
    ],
)
def test_a_line_tells_by_its_address_whom_it_speaks_of(text: str, source: str, side: Side) -> None:
    assert side_of(text, source) is side


def test_a_line_that_only_follows_tells_whose_fault_the_first_one_was() -> None:
    first = "[udp @ 0x1] [error] bind failed: Address already in use\n"

    assert verdict(first).side is Side.UNKNOWN
    assert verdict(first + "[error] udp://239.1.1.1:5000?ttl=1: Inappropriate ioctl for device").side is Side.SOURCE
    assert verdict(first + "[error] Error opening output files: Address already in use").side is Side.OUTPUT
    assert verdict("[error] Out of luck\n[out#0/flv @ 0x1] [error] Error muxing a packet").side is Side.OUTPUT


def test_a_kill_is_the_cause_although_the_log_has_errors() -> None:
    assert verdict("[error] udp://239.1.1.1:5000: Input/output error", -9).cause == "FFmpeg was killed (SIGKILL)"


def test_an_unknown_error_is_quoted_without_its_secrets() -> None:
    found = verdict("[moon @ 0x1] [error] Server error: live/k3y-of-the-day is busy", secrets=("k3y-of-the-day",))

    assert found.cause == "FFmpeg says: Server error: live/*** is busy"


def test_an_endless_line_is_quoted_in_part_only() -> None:
    assert len(verdict("[error] " + "x" * 100_000).cause) < 300


def test_what_was_survived_is_forgotten() -> None:
    reader = Verdict(SOURCE)
    assert reader.is_clear
    reader.feed("[hls @ 0x1] [error] Protocol 'ftp' not on whitelist 'http,https'!")
    assert not reader.is_clear

    reader.forget()

    assert reader.is_clear
    assert reader.so_far() is None
    reader.feed("[in#0 @ 0x1] [error] Error during demuxing: Input/output error")
    assert reader.result(0, ours=False).cause == "no packets from udp://239.1.1.1:5000 for 5 s"
