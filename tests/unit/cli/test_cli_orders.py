import asyncio
import os
import pty
import sys

from cli_rack import Rack, Run

from transcoder_tui.errors import HostFault, InvalidInput, NoSuchChannel, StoreUnavailable
from transcoder_tui.models.job import Status


def orders(rack: Rack) -> set[str]:
    """The orders that reached the rack."""
    return {path for method, path, _ in rack.asked if method in ("POST", "DELETE")}


def test_several_channels_are_ordered_by_name_and_id_with_a_line_each(rack: Rack, run: Run) -> None:
    rack.add("News HD")
    rack.add("Sport", Status.PENDING)

    code, out, err = run("start", "news hd", "2", "1")

    assert (code, err) == (0, "")
    assert sorted(out.splitlines()) == ["News HD  start ordered, now pending", "Sport    already pending"]
    assert orders(rack) == {"/jobs/1/start", "/jobs/2/start"}


def test_all_means_every_channel(rack: Rack, run: Run) -> None:
    rack.add_on_air("News HD")
    rack.add_on_air("Sport")

    code, out, _ = run("stop", "--all")

    assert code == 0
    assert sorted(line.split()[-1] for line in out.splitlines()) == ["stopped", "stopped"]
    assert orders(rack) == {"/jobs/1/stop", "/jobs/2/stop"}


def test_no_channel_and_every_channel_at_once_are_usage_errors(rack: Rack, run: Run) -> None:
    rack.add("News HD")
    for verb in ("start", "stop", "restart", "delete"):
        assert run(verb).code == 2
        assert run(verb, "1", "--all").code == 2
    assert rack.asked == []


def test_nothing_is_ordered_where_one_name_is_wrong(rack: Rack, run: Run) -> None:
    rack.add("News HD")

    code, out, err = run("restart", "News HD", "Nowhere", "Spoort")

    assert (code, out) == (4, "")
    assert "'Nowhere'" in err
    assert "'Spoort'" in err
    assert orders(rack) == set()


def test_one_failure_does_not_keep_the_others_from_starting(rack: Rack, run: Run) -> None:
    rack.add("News HD")
    rack.add("Sport")
    rack.refusals["POST", "/jobs/1/start"] = HostFault("eth9 is not here", "choose eth0", "sources[0].interface")

    code, out, err = run("start", "--all")

    assert code == 1
    assert out == "Sport    start ordered, now pending\n"
    assert err == "News HD  failed: sources[0].interface: eth9 is not here; choose eth0\n"


def test_the_exit_code_is_the_common_one_where_all_failures_are_alike(rack: Rack, run: Run) -> None:
    rack.add("News HD")
    rack.add("Sport")
    rack.refusals["POST", "/jobs/1/stop"] = NoSuchChannel("deleted a moment ago")
    rack.refusals["POST", "/jobs/2/stop"] = NoSuchChannel("deleted a moment ago")

    assert run("stop", "--all").code == 4

    rack.refusals["POST", "/jobs/2/stop"] = StoreUnavailable("the disk is full")
    assert run("stop", "--all").code == 1


def test_a_whole_rack_is_stopped_together_but_never_all_at_once(rack: Rack, run: Run) -> None:
    rack.order_takes_s = 0.1
    for number in range(70):
        rack.add_on_air(f"Channel {number}")

    assert run("stop", "--all").code == 0

    assert len(orders(rack)) == 70
    assert 2 <= rack.busiest <= 32


TWO = [{"url": "udp://239.1.1.1:5000", "interface": "lo"}, {"url": "srt://192.0.2.9:9000?passphrase=verysecret"}]


def test_a_channel_changes_to_the_source_with_the_number_that_show_lists(rack: Rack, run: Run) -> None:
    rack.add_on_air("News HD", sources=TWO)

    code, out, err = run("switch", "news hd", "2")

    said = "News HD  changes to source 2 of 2, srt://192.0.2.9:9000?passphrase=***; now stopping\n"
    assert (code, out, err) == (0, said, "")
    assert rack.asked[-1] == ("POST", "/channels/1/source", {"source": 1})
    assert run("switch", "1", "2").out == "News HD  already on source 2 of 2, srt://192.0.2.9:9000?passphrase=***\n"


def test_a_source_that_there_is_not_is_refused_with_those_that_there_are(rack: Rack, run: Run) -> None:
    rack.add_on_air("News HD", sources=TWO)

    for number in ("3", "0"):
        code, out, err = run("switch", "1", number)
        assert (code, out) == (3, "")
        assert f"source: News HD has no source {number}; choose one of: 1 udp://239.1.1.1:5000 on lo, 2 srt://" in err
        assert "verysecret" not in err
    assert run("switch", "1", "two").code == 2
    assert run("switch", "1").code == 2
    assert run("switch", "Sport", "1").code == 4
    assert orders(rack) == set()


def test_the_worker_s_refusal_of_a_change_is_passed_on(rack: Rack, run: Run) -> None:
    rack.add("News HD", sources=TWO)
    rack.refusals["POST", "/channels/1/source"] = InvalidInput("News HD is stopped", "start it first", "source")

    code, out, err = run("switch", "1", "2")

    assert (code, out) == (3, "")
    assert err == "Not accepted\n  source: News HD is stopped; start it first\n"


def test_what_is_off_air_is_deleted_without_a_question(rack: Rack, run: Run) -> None:
    rack.add("Old")

    code, out, _ = run("delete", "old")

    assert (code, out) == (0, "Old  deleted\n")
    assert orders(rack) == {"/channels/1"}


def test_what_is_on_air_is_not_deleted_where_nobody_can_be_asked(rack: Rack, run: Run) -> None:
    rack.add_on_air("News HD")

    code, _, err = run("delete", "1")

    assert code == 2
    assert "--yes" in err
    assert orders(rack) == set()
    assert run("delete", "1", "--yes").code == 0
    assert orders(rack) == {"/channels/1"}


async def answer(reply: bytes, *arguments: str) -> tuple[int, str]:
    """Runs a command on a terminal and answers its first question."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "transcoder_tui", *arguments]
    process = await asyncio.create_subprocess_exec(*command, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    loop, seen, chunks = asyncio.get_running_loop(), b"", asyncio.Queue[bytes]()

    def read() -> None:
        try:
            chunks.put_nowait(os.read(ours, 4096))
        except OSError:
            chunks.put_nowait(b"")

    loop.add_reader(ours, read)
    while b"[y/N]" not in seen:
        chunk = await chunks.get()
        assert chunk, seen
        seen += chunk
    os.write(ours, reply)
    while chunk := await chunks.get():
        seen += chunk
    loop.remove_reader(ours)
    os.close(ours)
    return await process.wait(), seen.decode()


async def test_deleting_what_is_on_air_asks_on_a_terminal_and_takes_no_for_the_default(rack: Rack) -> None:
    rack.add_on_air("News HD")

    code, seen = await answer(b"\n", "delete", "1")

    assert code == 1
    assert "On air: News HD" in seen
    assert "Nothing was deleted." in seen
    assert orders(rack) == set()


async def test_deleting_what_is_on_air_is_done_once_confirmed(rack: Rack) -> None:
    rack.add_on_air("News HD")

    code, seen = await answer(b"y\n", "delete", "News HD")

    assert (code, orders(rack)) == (0, {"/channels/1"})
    assert "News HD  deleted" in seen
