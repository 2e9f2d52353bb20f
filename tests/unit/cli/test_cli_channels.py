import json
from datetime import UTC, datetime, timedelta

from cli_rack import Rack, Run

from transcoder_tui.models.job import Status
from transcoder_tui.models.view import Telemetry


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
        "health": "good",
        "message": "",
        "source": "udp://239.1.1.1:5000",
        "pid": 4000,
        "fps": 25.0,
        "speed": 1.0,
        "bitrate_kbps": 950.4,
        "restarts": 2,
    }.items() <= news.items()
    assert (sport["health"], sport["fps"], sport["bitrate_kbps"], sport["uptime_s"]) == ("off", None, None, None)


def test_health_tells_a_complaining_channel_from_a_good_one_and_from_a_dead_one(rack: Rack, run: Run) -> None:
    rack.add_on_air("Fine", telemetry=Telemetry(speed=1.0))
    rack.add_on_air("Complaining", message="input lost for 3 s")
    rack.add("Coming", Status.PENDING)
    rack.add("Dead", Status.RETRYING)

    views = json.loads(run("channels", "--json").out)

    assert [view["health"] for view in views] == ["good", "degraded", "starting", "fault"]


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
    assert "nothing arrives at udp://239.1.1.1:5000; attempt 2 of 5 in " in out
    for part in ("look at the cable", "next attempt", "udp://239.1.1.1:5000 on lo", "low 640x360", "live/***"):
        assert part in out
    assert "key6001" not in out


def test_show_as_json_holds_the_job_and_no_secret(rack: Rack, run: Run) -> None:
    rack.add_on_air("News HD")

    out = run("show", "1", "--json").out
    shown = json.loads(out)

    assert (shown["name"], shown["job"]["pid"], shown["health"]) == ("News HD", 4000, "good")
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
    metrics = run("metrics").out
    for part in ("37 % of 8 cores", "2.0 GiB of 8.0 GiB", "in 8000k  out 52.0M", "2: 1 stopped, 1 running", "1h02m"):
        assert part in metrics
    assert set(json.loads(run("metrics", "--json").out)) == {"worker", "system", "channels"}
