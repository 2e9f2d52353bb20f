import json

from cli_rack import Rack, Run
from probe_samples import contribution_picture

from transcoder_tui.errors import SourceFault
from transcoder_tui.models.probe import Probe, ProbedProgram, ProbedStream


def multiplex() -> Probe:
    streams = [
        contribution_picture("720x576", "16:11"),
        ProbedStream(
            index=1,
            pid=258,
            kind="audio",
            codec="ac3",
            language="fra",
            layout="5.1(side)",
            sample_rate=48_000,
            bitrate=448_000,
            dispositions=["hearing impaired"],
        ),
        ProbedStream(index=2, pid=300, kind="video", codec="h264"),
        ProbedStream(index=3, pid=500, kind="data"),
    ]
    programs = [
        ProbedProgram(number=101, name="NEWS\x1b[2J", provider="Acme", pmt_pid=4096, pcr_pid=257, streams=[0, 1]),
        ProbedProgram(number=102, streams=[2]),
    ]
    return Probe(
        source="udp://239.1.1.1:5000 on eth1",
        container="mpegts",
        bitrate=19_500_000,
        measured_s=3.0,
        programs=programs,
        streams=streams,
    )


def test_programs_and_their_streams_are_told_one_below_the_other(rack: Rack, run: Run) -> None:
    rack.found = multiplex()
    code, out, _ = run("probe", "udp://239.1.1.1:5000", "--interface", "eth1", "--set", "sender=192.0.2.10")

    assert code == 0
    source = {"url": "udp://239.1.1.1:5000", "interface": "eth1", "sender": "192.0.2.10"}
    [(method, path, body)] = rack.asked
    assert (method, path) == ("POST", "/probe")
    assert body.items() >= source.items()
    lines = [" ".join(line.split()) for line in out.splitlines() if line]
    assert lines[:4] == [
        "udp://239.1.1.1:5000 on eth1",
        "carries mpegts, 2 programs, 4 streams",
        "bitrate 19.5Mb/s in all",
        "measured 3 s of it",
    ]
    assert lines[4:6] == [
        "Program 101 NEWS\N{REPLACEMENT CHARACTER}[2J",
        "by Acme, PMT PID 4096 0x1000, PCR PID 257 0x101",
    ]
    assert lines[7] == (
        "257 0x101 video 15.1M - mpeg2video 4:2:2 720x576, 25 fps, interlaced, top field first, yuv422p, pixels 16:11"
    )
    assert lines[8] == "258 0x102 audio 448k fra ac3 48000 Hz, 5.1(side), hearing impaired"
    assert lines[11] == "300 0x12c video - - h264 scrambled or incomplete"
    assert lines[12:] == ["In no program", "PID KIND BITRATE LANGUAGE CODEC FORMAT", "500 0x1f4 data - - unknown -"]


def test_json_is_the_result_as_it_is(rack: Rack, run: Run) -> None:
    rack.found = multiplex()
    code, out, err = run("probe", "udp://239.1.1.1:5000", "--json")
    assert (code, err) == (0, "")
    assert Probe.model_validate(json.loads(out)) == rack.found


def test_a_wrong_address_or_field_is_refused_before_anything_is_asked(rack: Rack, run: Run) -> None:
    assert run("probe", "udp://239.1.1.1").code == 3
    assert "known here" in run("probe", "udp://239.1.1.1:5000", "--set", "colour=red").err
    assert "write NAME=VALUE" in run("probe", "udp://239.1.1.1:5000", "--set", "colour").err
    assert rack.asked == []


def test_why_a_source_cannot_be_read_is_said_with_what_would_help(rack: Rack, run: Run) -> None:
    rack.refusals[("POST", "/probe")] = SourceFault("no packets from udp://239.1.1.1:5000 for 5 s", "check its port")
    code, out, err = run("probe", "udp://239.1.1.1:5000")
    assert (code, out) == (1, "")
    assert err.splitlines()[1:] == [
        "The source cannot be read",
        "  no packets from udp://239.1.1.1:5000 for 5 s; check its port",
    ]
