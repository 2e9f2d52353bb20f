import json
import re
from datetime import UTC, datetime, timedelta

from cli_rack import Rack, Run, alarm

from transcoder_tui.cli.channels import COLUMNS, _row
from transcoder_tui.cli.output import table_lines
from transcoder_tui.models.health import Health
from transcoder_tui.models.job import Status, Wanted
from transcoder_tui.models.view import ChannelView, Telemetry


def test_the_table_shows_a_line_for_each_channel_without_colour_in_a_pipe(rack: Rack, run: Run) -> None:
    rack.add_on_air("News HD", group="News")
    rack.add("Sport", Status.ERROR, message="no packets from udp://239.1.1.1:5000 for 15 s " + "x" * 200)

    code, out, err = run("channels")

    heading, news, sport = out.splitlines()
    assert (code, err) == (0, "")
    assert heading.split()[:4] == ["ID", "STATUS", "NAME", "GROUP"]
    assert news.split() == ["1", "●", "running", "News", "HD", "News", "25.0", "1.00", "950k", "3", "0", "2h05m"]
    assert sport.split()[:4] == ["2", "✖", "error", "Sport"]
    assert sport.endswith("x" * 200)
    assert "\x1b" not in out


def test_columns_stay_aligned_behind_wide_characters(rack: Rack, run: Run) -> None:
    rack.add("ニュース", group="A")
    rack.add("Sport", group="B")

    out = run("channels").out.splitlines()

    assert len(out[1].partition("  A ")[0]) + 4 == len(out[2].partition("  B ")[0])


def test_json_holds_what_scripts_ask_for(rack: Rack, run: Run) -> None:
    rack.add_on_air("News HD", restarts=2)
    rack.add("Sport")

    news, sport = json.loads(run("channels", "--json").out)

    assert news["uptime_s"] >= 7500
    assert {
        "id": 1,
        "name": "News HD",
        "status": "running",
        "wanted": "running",
        "health": "ok",
        "message": "",
        "source": "udp://239.1.1.1:5000",
        "pid": 4000,
        "fps": 25.0,
        "speed": 1.0,
        "bitrate_kbps": 950.4,
        "restarts": 2,
    }.items() <= news.items()
    assert (sport["health"], sport["fps"], sport["bitrate_kbps"], sport["uptime_s"]) == ("ok", None, None, None)


def test_json_holds_every_alarm_and_what_the_worker_says_of_sources_gaps_and_limits(rack: Rack, run: Run) -> None:
    lost = alarm(Health.INPUT_LOST, "nothing arrives", "look at the cable")
    said = {"pinned": True, "gap_s": 6.4, "limits": "nice 5", "source_index": 0}
    rack.add_on_air("News HD", message=lost.message, health=lost.health, alarms=[lost], **said)

    (view,) = json.loads(run("channels", "--json").out)

    assert {"health": "input lost", "message": "nothing arrives", **said}.items() <= view.items()
    assert {"health": "input lost", "remedy": "look at the cable"}.items() <= view["alarms"][0].items()


def test_a_channel_on_air_that_is_not_well_shows_its_health_and_why(rack: Rack, run: Run) -> None:
    rack.add_on_air("Fine")
    rack.add_on_air("Slow", health=Health.TOO_SLOW, message="0.80 of real time for 60 s")

    _, fine, slow = run("channels").out.splitlines()

    assert fine.split()[1:4] == ["●", "running", "Fine"]
    assert slow.split()[1:5] == ["▲", "too", "slow", "Slow"]
    assert slow.endswith("0.80 of real time for 60 s")


def test_a_narrow_terminal_leaves_figures_out_before_it_cuts_why_a_channel_is_off_air() -> None:
    now = datetime.now(UTC)
    view = ChannelView(
        id=1, revision=1, name="News HD", group="News", source="udp://239.1.1.1:5000", renditions=[], outputs=[],
        wanted=Wanted.RUNNING, status=Status.RETRYING, attempt=3, next_retry_at=now + timedelta(seconds=12),
        message="nothing arrives at udp://239.1.1.1:5000",
    )  # fmt: skip
    rows = [_row(view, now)]

    heading, line = ("  ".join(cell.text for cell in cells) for cells in table_lines(COLUMNS, rows, 80))

    assert heading.split() == ["ID", "STATUS", "NAME", "FPS", "UPTIME", "MESSAGE"]
    assert "next retry in 12 s (3 of 5): nothing " in line
    assert len(line) <= 80
    wide, _ = ("  ".join(cell.text for cell in cells) for cells in table_lines(COLUMNS, rows, 200))
    assert wide.split() == [column.title for column in COLUMNS]


def test_an_empty_rack_says_how_to_fill_it_and_leaves_stdout_to_scripts(rack: Rack, run: Run) -> None:
    code, out, err = run("channels")

    assert (code, out) == (0, "")
    assert "transcoder-tui apply FILE" in err
    assert json.loads(run("channels", "--json").out) == []


def test_show_tells_why_a_channel_is_not_on_air_and_when_it_is_tried_again(rack: Rack, run: Run) -> None:
    rack.add(
        "News HD",
        Status.RETRYING,
        message="nothing arrives at udp://239.1.1.1:5000",
        remedy="look at the cable",
        attempt=2,
        next_retry_at=datetime.now(UTC) + timedelta(seconds=20),
    )

    code, out, _ = run("show", "news hd")

    assert code == 0
    assert out.splitlines()[0] == "News HD  ↻ retrying"
    lines = [line.split(maxsplit=1) for line in out.splitlines()]
    assert ["why", "nothing arrives at udp://239.1.1.1:5000"] in lines
    assert ["remedy", "look at the cable"] in lines
    assert re.search(r"next +next retry in (19|20) s \(2 of 5\)", out)
    for part in ("udp://239.1.1.1:5000 on lo", "low 640x360", "live/***"):
        assert part in out
    assert "key6001" not in out
    assert re.search(r"next retry in (19|20) s \(2 of 5\): nothing arrives at udp", run("channels").out)


def test_a_channel_that_was_given_up_says_when_it_is_tried_again(rack: Rack, run: Run) -> None:
    later = datetime.now(UTC) + timedelta(seconds=58)
    rack.add("News HD", Status.ERROR, message="no data", attempt=5, next_retry_at=later)
    rack.add("Sport", Status.ERROR, message="no such encoder", attempt=1)

    _, news, sport = run("channels").out.splitlines()

    assert re.search(r"given up after 5 attempts; tried again in 5[78] s: no data$", news)
    assert sport.endswith("given up; not tried again by itself: no such encoder")


def test_show_tells_every_alarm_since_when_and_what_helps(rack: Rack, run: Run) -> None:
    alarms = [
        alarm(Health.INPUT_LOST, "nothing arrives", "look at the cable"),
        alarm(Health.ON_BACKUP, "on source 2 of 2", "order source 1 to return"),
    ]
    sources = [
        {"url": "udp://239.1.1.1:5000", "interface": "lo"},
        {"url": "srt://192.0.2.9:9000?passphrase=verysecret"},
    ]
    rack.add_on_air(
        "News HD", sources=sources, source_index=1, pinned=True, gap_s=6.4, limits="nice 5, memory 2 GB",
        health=alarms[0].health, message=alarms[0].message, remedy=alarms[0].remedy, alarms=alarms,
    )  # fmt: skip

    out = run("show", "1").out
    lines = [line.split(maxsplit=1) for line in out.splitlines()]

    assert out.splitlines()[0] == "News HD  ▲ input lost"
    assert re.search(r"alarm +input lost for 1m00s, since \d{4}-", out)
    assert re.search(r"alarm +on backup source for 1m00s, since", out)
    assert out.count("nothing arrives") == out.count("look at the cable") == 1
    assert re.search(r"last gap +6.4 s off air at the last interruption", out)
    assert ["limits", "nice 5, memory 2 GB"] in lines
    assert ["source", "1  udp://239.1.1.1:5000 on lo"] in lines
    assert ["2", "srt://192.0.2.9:9000?passphrase=*** (in use, chosen by an operator)"] in lines
    assert "verysecret" not in out


def test_show_tells_what_the_source_loses(rack: Rack, run: Run) -> None:
    rack.add_on_air("Clean", telemetry=Telemetry(fps=25.0, corrupt=0, corrupt_per_min=0, lost=0, lost_per_min=0))
    rack.add_on_air("Damaged", telemetry=Telemetry(corrupt=12, corrupt_per_min=3, overrun=40, overrun_per_min=0))

    assert "damage" not in run("show", "clean").out
    assert re.search(
        r"damage +12 packets damaged \(3/min\), 40 datagrams dropped by the host \(0/min\)", run("show", "damaged").out
    )


def test_show_as_json_holds_the_job_and_no_secret(rack: Rack, run: Run) -> None:
    rack.add_on_air("News HD")

    out = run("show", "1", "--json").out
    shown = json.loads(out)

    assert (shown["name"], shown["job"]["pid"], shown["health"]) == ("News HD", 4000, "ok")
    assert shown["all_sources"] == ["udp://239.1.1.1:5000"]
    assert "key6001" not in out


def test_a_channel_is_named_by_id_or_by_name_in_any_case(rack: Rack, run: Run) -> None:
    rack.add("News HD")
    rack.add("Straße")

    assert run("show", "1").out.startswith("News HD ")
    assert run("show", "NEWS HD").out.startswith("News HD ")
    assert run("show", "STRASSE").out.startswith("Straße ")


def test_an_unknown_name_is_refused_with_names_that_look_alike(rack: Rack, run: Run) -> None:
    rack.add("News HD")
    rack.add("Sport")

    code, out, err = run("show", "nwes hd")

    assert (code, out) == (4, "")
    assert err.splitlines() == ["No such channel", "  no channel has the name 'nwes hd'; did you mean News HD?"]


def test_an_unknown_id_is_refused_with_the_way_to_the_list(rack: Rack, run: Run) -> None:
    code, _, err = run("show", "77", "--json")

    (fault,) = json.loads(err)["error"]["faults"]
    assert code == 4
    assert fault == {
        "fault": "no channel has the id '77'",
        "remedy": "list them with 'transcoder-tui channels'",
        "field": "",
    }


def test_the_command_is_printed_as_the_worker_masked_it(rack: Rack, run: Run) -> None:
    rack.add("News HD")

    assert run("command", "1").out == "ffmpeg -i udp://239.1.1.1:5000 rtmp://127.0.0.1/live/***\n"
    assert json.loads(run("command", "1", "--json").out)["argv"][0] == "ffmpeg"


def test_text_from_others_cannot_reach_the_terminal_raw(rack: Rack, run: Run) -> None:
    rack.add("News HD", Status.ERROR, message="\x1b]0;owned\x07 \x9b31m \u202ereversed\nsecond line")

    for arguments in (["channels"], ["show", "1"], ["channels", "--json"]):
        out = run(*arguments).out
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(out)
        assert "owned" in out
    assert len(run("channels").out.splitlines()) == 2


def test_interfaces_and_metrics_show_the_machine(rack: Rack, run: Run) -> None:
    rack.add_on_air("News HD")
    rack.add("Sport")

    assert run("interfaces").out.splitlines()[1].split() == ["eth0", "up", "yes", "10000", "Mb/s", "1500", "192.0.2.2"]
    assert json.loads(run("interfaces", "--json").out)[0]["name"] == "eth0"
    rack.add_on_air("Slow", health=Health.TOO_SLOW)
    rack.worker = rack.worker.model_copy(update={"database": "the disk is full", "unsaved_events": 12})
    metrics = run("metrics").out
    for part in (
        "37 % of 8 cores",
        "2.0 GiB of 8.0 GiB",
        "in 8000k  out 52.0M",
        "3: 1 stopped, 2 running; 1 unwell",
        "1h02m",
    ):
        assert part in metrics
    assert "the disk is full; 12 events wait" in metrics
    assert set(json.loads(run("metrics", "--json").out)) == {"worker", "system", "channels"}
