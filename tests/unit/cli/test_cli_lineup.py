import json
import os
import stat
from pathlib import Path

import yaml
from cli_rack import Rack, Run

from transcoder_tui.errors import InvalidInput
from transcoder_tui.models.capacity import Cost, unmeasured
from transcoder_tui.models.lineup import Applied, Change, ChangeKind, LineUp

LINEUP = """
version: 1
channels:
  - name: News HD
    sources: [{url: "udp://239.1.1.1:5000"}]
    renditions: [{name: 1080p, video: {size: 1920x1080, bitrate: 5000k}}]
    outputs: [{url: "udp://239.2.1.1:5000", muxrate: 6500k}]
"""

CHANGES = [
    Change(kind=ChangeKind.CREATE, channel="News HD"),
    Change(kind=ChangeKind.CHANGE, channel="Sport", restarts=True, fields=["outputs[0].muxrate"]),
    Change(kind=ChangeKind.CHANGE, channel="Kids", fields=["group", "priority"]),
    Change(kind=ChangeKind.DELETE, channel="Old"),
    Change(kind=ChangeKind.KEEP, channel="Weather"),
    Change(kind=ChangeKind.KEEP, channel="Music"),
]


def applications(rack: Rack) -> list[object]:
    """What was applied."""
    return [body for method, path, body in rack.asked if (method, path) == ("PUT", "/lineup")]


def test_apply_prints_a_line_for_each_change(rack: Rack, run: Run) -> None:
    rack.applied = Applied(dry_run=False, changes=CHANGES)

    code, out, err = run("apply", "-", stdin=LINEUP.encode())

    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "+ News HD  created",
        "~ Sport    changed: outputs[0].muxrate (restarted)",
        "~ Kids     changed: group, priority",
        "- Old      deleted",
        "= 2 unchanged",
    ]
    (applied,) = applications(rack)
    assert LineUp.model_validate(applied) == LineUp.model_validate(yaml.safe_load(LINEUP))


def test_a_dry_run_says_what_would_happen(rack: Rack, run: Run, home: Path) -> None:
    rack.applied = Applied(dry_run=True, changes=CHANGES)
    (home / "rack.yaml").write_text(LINEUP)

    out = run("apply", home / "rack.yaml", "--dry-run").out.splitlines()

    assert out[0] == "+ News HD  would be created"
    assert out[1] == "~ Sport    would be changed: outputs[0].muxrate (would restart)"


def test_a_dry_run_says_what_it_would_cost_and_whether_the_machine_has_it_left(rack: Rack, run: Run) -> None:
    stale = "it was measured with FFmpeg 5.1, and this is 9.0"
    news = Cost(cores=1.42, of=8, left=3.1, notes=[stale])
    sport = Cost(cores=4.0, of=8, left=3.1, slow=["1080p: libx264 veryslow reaches about 9 of 50 fps"], notes=[stale])
    rack.applied = Applied(
        dry_run=True,
        changes=[
            CHANGES[0].model_copy(update={"cost": news}),
            CHANGES[1].model_copy(update={"cost": sport}),
        ],
        cost=Cost(cores=5.42, of=8, left=3.1, notes=[stale]),
    )

    out = run("apply", "-", "--dry-run", stdin=LINEUP.encode()).out.splitlines()

    assert out == [
        "+ News HD  would be created; about 1.4 cores",
        "~ Sport    would be changed: outputs[0].muxrate (would restart); about 4.0 cores",
        "           slower than real time: 1080p: libx264 veryslow reaches about 9 of 50 fps",
        "Together about 5.4 of 8 cores; only 3.1 are left.",
        "It was measured with FFmpeg 5.1, and this is 9.0.",
    ]


def test_a_dry_run_on_a_machine_that_was_not_measured_says_how_to_measure_it_and_no_more(rack: Rack, run: Run) -> None:
    unknown = unmeasured(8, 8.0)
    rack.applied = Applied(dry_run=True, changes=[CHANGES[0].model_copy(update={"cost": unknown})], cost=unknown)

    out = run("apply", "-", "--dry-run", stdin=LINEUP.encode()).out.splitlines()

    assert out == [
        "+ News HD  would be created",
        "What it costs is not known; measure this machine with 'transcoder-tui doctor --bench'.",
    ]


def test_apply_as_json_is_the_workers_answer(rack: Rack, run: Run) -> None:
    rack.applied = Applied(dry_run=False, changes=CHANGES)

    answer = json.loads(run("apply", "-", "--json", stdin=LINEUP.encode()).out)

    assert answer["changes"][1] == {
        "kind": "change",
        "channel": "Sport",
        "on_air": False,
        "restarts": True,
        "fields": ["outputs[0].muxrate"],
        "cost": None,
    }


def test_a_wrong_line_up_is_refused_with_field_channel_and_remedy_and_never_sent(rack: Rack, run: Run) -> None:
    wrong = LINEUP.replace("6500k", "5000 potatoes").replace("1920x1080", "1921x1080")

    code, out, err = run("apply", "-", stdin=wrong.encode())

    assert (code, out) == (3, "")
    title, size, muxrate = err.splitlines()
    assert title == "Not accepted"
    assert size == (
        "  channels[0].renditions[0].video.size: 1921x1080 has an odd side (in News HD); "
        "4:2:0 needs even sides, such as 1920 or 1922"
    )
    assert muxrate == (
        "  channels[0].outputs[0].muxrate: '5000 potatoes' is not a bitrate (in News HD); "
        "write a number with k or M, such as 5000k or 5M"
    )
    assert rack.asked == []


def test_faults_as_json_keep_the_plain_path_of_the_field(rack: Rack, run: Run) -> None:
    code, _, err = run("apply", "-", "--json", stdin=LINEUP.replace("6500k", "10k").encode())

    error = json.loads(err)["error"]
    assert (code, error["kind"]) == (3, "invalid")
    assert [fault["field"] for fault in error["faults"]] == ["channels[0].outputs[0].muxrate"]


def test_what_only_the_worker_can_find_wrong_names_the_channel_too(rack: Rack, run: Run) -> None:
    interface = "channels[0].sources[0].interface"
    rack.refusals["PUT", "/lineup"] = InvalidInput("eth9 is not here", "choose eth0", interface)

    code, _, err = run("apply", "-", stdin=LINEUP.encode())

    assert code == 3
    assert err.splitlines()[1] == "  channels[0].sources[0].interface: eth9 is not here (in News HD); choose eth0"


def test_broken_yaml_is_refused_with_line_and_column(run: Run) -> None:
    code, _, err = run("apply", "-", stdin=b"version: 1\nchannels: [}\n")

    assert code == 3
    assert err.splitlines()[1].startswith("  stdin: line 2, column 12: ")


def test_a_file_that_is_not_there_is_refused(run: Run, home: Path) -> None:
    for path in (home / "no.yaml", home):
        code, _, err = run("apply", path)
        assert code == 3
        assert f"  {path}: cannot be read: " in err


def test_apply_starts_no_worker(run: Run, home: Path) -> None:
    code, _, err = run("apply", "-", stdin=LINEUP.encode())

    assert code == 5
    assert "transcoder-tui worker start" in err
    assert not (home / "data").exists()


def test_an_export_is_the_line_up_in_the_layout_of_the_manual(rack: Rack, run: Run) -> None:
    rack.add("News HD", group="Nachrichten früh")

    code, out, err = run("export")

    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "version: 1",
        "channels:",
        "  - name: News HD",
        "    group: Nachrichten früh",
        "    priority: 50",
        "    autostart: true",
        "    sources:",
        "      - url: udp://239.1.1.1:5000",
        "        interface: lo",
        "    renditions:",
        "      - name: low",
        "        video: {codec: h264, size: 640x360, fps: 25, bitrate: 800k, preset: veryfast, gop: 2s}",
        "        audio: {codec: aac, bitrate: 128k, sample_rate: 48000, channels: 2}",
        "    outputs:",
        "      - {url: 'udp://127.0.0.1:6001'}",
        "      - {url: 'rtmp://127.0.0.1/live/key6001'}",
    ]


def test_applying_an_export_sends_the_same_documents_back(rack: Rack, run: Run) -> None:
    rack.add("News HD")
    rack.add("yes")
    rack.add("0x10 🛰: #1")

    assert run("apply", "-", stdin=run("export").out.encode()).code == 0

    stored = [document.spec for document in rack.documents.values()]
    assert applications(rack) == [{"version": 1, "channels": stored}]


def test_single_channels_can_be_exported(rack: Rack, run: Run) -> None:
    rack.add("News HD")
    rack.add("Sport")

    exported = yaml.safe_load(run("export", "sport").out)

    assert [channel["name"] for channel in exported["channels"]] == ["Sport"]
    assert run("export", "spork").code == 4


def test_an_exported_file_is_for_its_owner_only_and_replaces_the_old_one_whole(
    rack: Rack, run: Run, home: Path
) -> None:
    rack.add("News HD")
    file = home / "rack.yaml"
    file.write_text("old")
    file.chmod(0o644)
    (home / "link.yaml").symlink_to(file)

    code, out, err = run("export", "-o", home / "link.yaml")

    assert (code, out) == (0, "")
    assert "1 channel written to" in err
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert yaml.safe_load(file.read_text())["channels"][0]["name"] == "News HD"
    assert (home / "link.yaml").is_symlink()
    assert {path.name for path in home.iterdir()} == {"link.yaml", "rack.yaml", "run", "settings.toml"}


def test_an_export_that_cannot_be_written_says_where(rack: Rack, run: Run, home: Path) -> None:
    code, _, err = run("export", "-o", home / "no" / "rack.yaml")

    assert code == 1
    assert f"{home}/no/rack.yaml: cannot be written: No such file or directory" in err


def test_an_export_replaces_no_device_or_pipe(rack: Rack, run: Run, home: Path) -> None:
    os.mkfifo(home / "pipe")
    code, _, err = run("export", "-o", home / "pipe")

    assert code == 1
    assert f"{home}/pipe: is no file that could be replaced" in err
    assert (home / "pipe").is_fifo()
