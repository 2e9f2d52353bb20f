import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

from cli_rack import Rack, Run, event, served

from transcoder_tui.models.event import Severity


async def follow(*arguments: str) -> Process:
    """A command in a process of its own."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "transcoder_tui", *arguments, stdout=PIPE, stderr=PIPE
    )


async def line(stream: asyncio.StreamReader | None) -> str:
    """The next line of a process's output."""
    assert stream is not None
    return (await stream.readline()).decode().rstrip("\n")


def test_the_last_lines_are_printed_without_control_characters(rack: Rack, run: Run) -> None:
    number = rack.add("News HD")
    rack.logs[number] = [f"line {count}" for count in range(100)] + ["\x1b[31mred\x9b\tend"]

    assert run("logs", "news hd", "-n", "3").out == "line 98\nline 99\n\ufffd[31mred\ufffd\tend\n"
    assert len(run("logs", "1").out.splitlines()) == 50


def test_a_log_as_json_holds_its_offsets(rack: Rack, run: Run) -> None:
    number = rack.add("News HD")
    rack.logs[number] = ["a", "b", "c"]

    chunk = json.loads(run("logs", "1", "-n", "2", "--json").out)

    assert chunk == {"offset": 1, "next_offset": 3, "first_offset": 0, "lines": ["b", "c"]}


def test_the_log_of_an_unknown_channel_is_refused(rack: Rack, run: Run) -> None:
    rack.add("News HD")

    code, out, err = run("logs", "News", "-f")

    assert (code, out) == (4, "")
    assert "did you mean News HD?" in err


async def test_a_followed_log_goes_on_where_it_was_after_a_restart_of_the_worker(home: Path) -> None:
    socket = home / "run" / "worker.sock"
    rack = Rack()
    number = rack.add("News HD")
    rack.logs[number] = ["before"]
    with served(rack, socket):
        process = await follow("logs", "1", "-f")
        assert await line(process.stdout) == "before"
        rack.logs[number].append("while following")
        assert await line(process.stdout) == "while following"
    assert "the worker does not answer" in await line(process.stderr)
    rack.logs[number].append("while the worker was away")
    with served(rack, socket):
        assert await line(process.stdout) == "while the worker was away"
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()
    assert (process.returncode, out, err) == (130, b"", b"")


async def test_a_followed_log_says_what_it_missed(rack: Rack) -> None:
    number = rack.add("News HD")
    rack.logs[number] = ["first"]
    process = await follow("logs", "1", "-f")
    assert await line(process.stdout) == "first"

    rack.first[number] = 9
    rack.logs[number] = [*"0123456789"]

    assert await line(process.stdout) == "9"
    assert await line(process.stderr) == "-- 8 bytes were dropped before they could be read --"
    process.terminate()
    await process.wait()


async def test_a_reader_that_leaves_ends_the_command_without_a_word(rack: Rack) -> None:
    number = rack.add("News HD")
    rack.logs[number] = ["x" * 1000] * 5000
    process = await follow("logs", "1", "-n", "5000")
    await line(process.stdout)
    transport = process._transport.get_pipe_transport(1)  # type: ignore[attr-defined]
    transport.close()

    assert process.stderr is not None
    assert await process.stderr.read() == b""
    assert await process.wait() == 141


def test_events_are_printed_latest_last(rack: Rack, run: Run) -> None:
    rack.add("News HD")
    rack.add("Sport")
    rack.events = [event(1, "start ordered", 1), event(2, "input lost", 2, Severity.ERROR), event(3, "stopped", 1)]

    out = run("events", "-n", "2").out.splitlines()

    assert out[0].split() == ["TIME", "SEVERITY", "CHANNEL", "WHO", "WHAT"]
    assert [row.split()[-1] for row in out[1:]] == ["lost", "stopped"]
    assert out[1].split()[2:4] == ["error", "News"]
    assert [entry["id"] for entry in json.loads(run("events", "--channel", "news hd", "--json").out)] == [1, 3]


def test_what_was_kept_of_ffmpeg_s_log_stands_below_each_failure(rack: Rack, run: Run) -> None:
    rack.add("News HD")
    kept = "2025-01-01T12:00:01Z ERROR   Connection \x1b[31mrefused\n2025-01-01T12:00:02Z WORKER  ended with 1"
    rack.events = [
        event(1, "start ordered", 1),
        event(2, "connection refused", 1, Severity.ERROR, log=kept),
        event(3, "stop ordered", 1),
    ]

    with_log = run("events", "--log").out.splitlines()

    assert [line.split()[-1] for line in with_log[1:3]] == ["ordered", "refused"]
    assert with_log[3:5] == [
        "    2025-01-01T12:00:01Z ERROR   Connection \ufffd[31mrefused",
        "    2025-01-01T12:00:02Z WORKER  ended with 1",
    ]
    assert with_log[5].endswith("stop ordered")
    assert len(run("events").out.splitlines()) == 4
    assert json.loads(run("events", "--json").out)[1]["log"] == kept
