"""What the worker concludes from the signs of an FFmpeg, what it does about it, and how alarms come and go."""

from datetime import UTC, datetime, timedelta

import pytest

from transcoder_tui.models.health import Alarm, Health
from transcoder_tui.settings import SourceSettings, WatchdogSettings
from transcoder_tui.worker.alarms import CLEAR_S, Alarms
from transcoder_tui.worker.failover import Failover
from transcoder_tui.worker.gate import Gate
from transcoder_tui.worker.health import REACTIONS, Quiet, Trouble, awaiting, must_end, never_started, tell_apart

AT = datetime(2026, 1, 1, tzinfo=UTC)
LOST = Trouble(Health.INPUT_LOST, "nothing has arrived for 3 s", "check the source")


def quiet(**changes: object) -> Quiet:
    seen: dict[str, object] = {"for_s": 4.2, "source": "udp://239.0.0.1:5000", "live": True, "state": "S"}
    return Quiet(**{**seen, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("signs", "health", "words"),
    [
        ({}, Health.INPUT_LOST, "nothing usable has arrived from udp://239.0.0.1:5000 for 4 s"),
        ({"arriving": True}, Health.INPUT_LOST, "packets arrive from udp://239.0.0.1:5000, but have made no picture"),
        ({"arriving": True, "unread": True}, Health.ENCODER_STUCK, "although packets arrive"),
        ({"busy": 0.02}, Health.INPUT_LOST, "nothing usable has arrived"),
        ({"state": "T"}, Health.PROCESS_STOPPED, "SIGSTOP"),
        ({"state": "T", "unread": True}, Health.PROCESS_STOPPED, "SIGSTOP"),
        ({"state": "t"}, Health.PROCESS_STOPPED, "debugger"),
        ({"busy": 0.99}, Health.ENCODER_STUCK, "99% of a core"),
        ({"unread": True}, Health.ENCODER_STUCK, "although packets arrive"),
        ({"state": "D"}, Health.ENCODER_STUCK, "hangs in the kernel"),
        ({"live": False}, Health.ENCODER_STUCK, "FFmpeg is stuck"),
        ({"unsent": True}, Health.OUTPUT_BLOCKED, "a receiver takes nothing"),
        ({"growing": True, "busy": 0.9}, Health.TELEMETRY_LOST, "the outputs go on"),
        ({"broken_off": True}, Health.TELEMETRY_LOST, "figures have not come for 4 s"),
    ],
)
def test_causes_of_silence_are_told_apart_by_their_signs(signs: dict[str, object], health: Health, words: str) -> None:
    found = tell_apart(quiet(**signs))

    assert found.health == health
    assert words in found.message
    assert found.remedy


def test_a_start_without_media_says_what_is_seen() -> None:
    found = never_started(quiet(for_s=15), 15)

    assert found.health == Health.NEVER_STARTED
    assert found.message.startswith(
        "no media within 15 s of the start (input lost): nothing usable has arrived from udp://"
    )


def test_a_start_on_which_packets_arrive_is_called_no_lost_input() -> None:
    found = never_started(quiet(for_s=15, arriving=True), 15)

    assert found.message.startswith("no media within 15 s of the start: packets arrive from udp://239.0.0.1:5000, but")


def test_waiting_for_a_peer_never_ends_ffmpeg() -> None:
    found = awaiting("a publisher on port 1935")

    assert (found.health, found.message) == (Health.NO_PEER, "waits for a publisher on port 1935")
    assert not must_end(found, 10_000, WatchdogSettings())


def test_every_trouble_has_a_reaction() -> None:
    assert set(REACTIONS) == set(Health) - {Health.OK}


@pytest.mark.parametrize("health", [Health.DISK_FULL, Health.NO_CARRIER, Health.OUTPUT_FROZEN, Health.TOO_SLOW])
def test_troubles_that_a_restart_does_not_cure_never_end_ffmpeg(health: Health) -> None:
    assert not must_end(Trouble(health, "…"), 1e6, WatchdogSettings())


def test_a_quiet_ffmpeg_is_ended_when_patience_ends() -> None:
    limits = WatchdogSettings(startup_s=20, stall_s=10)

    assert not must_end(LOST, 9.9, limits)
    assert must_end(LOST, 10, limits)
    assert not must_end(Trouble(Health.NEVER_STARTED, "…"), 19.9, limits)
    assert must_end(Trouble(Health.NEVER_STARTED, "…"), 20, limits)


def test_an_alarm_is_raised_once_and_cleared_when_its_trouble_stays_away() -> None:
    alarms = Alarms()

    assert [alarm.health for alarm in alarms.update([LOST], AT, 10)[0]] == [Health.INPUT_LOST]
    later = Trouble(Health.INPUT_LOST, "nothing has arrived for 4 s")
    assert alarms.update([later], AT + timedelta(seconds=1), 11) == ([], [])
    assert (alarms.active[0].message, alarms.active[0].since) == ("nothing has arrived for 4 s", AT)
    assert alarms.update([], AT, 12) == ([], [])
    assert alarms.update([LOST], AT, 13) == ([], []), "it came back at once"
    assert alarms.update([], AT, 14) == ([], [])
    _, [cleared] = alarms.update([], AT, 14 + CLEAR_S)
    assert cleared.health == Health.INPUT_LOST
    assert alarms.active == []


def test_the_gravest_alarm_stands_first_and_the_last_workers_alarms_are_known() -> None:
    alarms = Alarms([Alarm(health=Health.TOO_SLOW, since=AT, message="too slow")])

    alarms.update([Trouble(Health.TOO_SLOW, "too slow"), LOST], AT, 1)

    assert [alarm.health for alarm in alarms.active] == [Health.INPUT_LOST, Health.TOO_SLOW]
    assert [alarm.health for alarm in alarms.clear()] == [Health.TOO_SLOW, Health.INPUT_LOST]


def test_a_channel_returns_when_a_better_source_was_good_for_long_enough() -> None:
    failover = Failover(SourceSettings(return_after_s=60))

    failover.tested(0, 100, good=True)
    assert failover.better(1, 159) is None
    assert failover.better(1, 160) == 0
    assert failover.better(0, 160) is None, "nothing is better than the primary"
    failover.tested(0, 161, good=False)
    assert failover.better(1, 1000) is None
    failover.tested(0, 1000, good=True)
    assert failover.better(2, 1060) == 0


def test_a_channel_does_not_return_to_a_source_while_a_test_of_it_still_holds_its_port() -> None:
    failover = Failover(SourceSettings(return_after_s=60))
    failover.tested(0, 100, good=True)

    failover.testing(0)

    assert failover.better(1, 170) is None
    failover.tested(0, 171, good=True)
    assert failover.better(1, 171) == 0


def test_a_source_that_fails_soon_after_a_return_is_held_down_longer_and_longer() -> None:
    failover = Failover(SourceSettings(return_after_s=60, hold_down_max_s=200))

    needed = []
    for start in (0, 1000, 2000):
        failover.returned(0, start)
        failover.failed(0, start + 30)
        needed.append(failover.needed_s(0))

    assert needed == [120, 200, 200]
    failover.returned(0, 5000)
    failover.failed(0, 6000)
    assert failover.needed_s(0) == 60, "it held"


def test_places_are_given_by_priority_and_then_in_order_of_arrival() -> None:
    gate, admitted = Gate(2), []
    assert gate.enter(1) and gate.enter(2)
    for channel_id, priority in ((3, 50), (4, 90), (5, 50), (6, 90)):
        assert not gate.enter(channel_id)
        gate.wait(channel_id, priority, lambda channel_id=channel_id: admitted.append(channel_id))

    gate.leave(6)
    for channel_id in (1, 2, 4):
        gate.leave(channel_id)

    assert admitted == [4, 3, 5]
    assert gate.waiting == 0


def test_who_is_inside_may_enter_again_and_nobody_overtakes_those_who_wait() -> None:
    gate = Gate(1)
    assert gate.enter(1)
    assert gate.enter(1)
    gate.wait(2, 0, lambda: None)
    gate.leave(1)

    assert not gate.enter(3)
    gate.leave(2)
    assert gate.enter(3)


def test_an_alarm_stays_acknowledged_while_its_words_change_and_is_new_when_it_is_raised_again() -> None:
    alarms = Alarms()
    alarms.update([Trouble(Health.TOO_SLOW, "0.9x")], AT, 0.0)

    [seen] = alarms.acknowledge("anna", AT)
    assert alarms.acknowledge("ben", AT) == []
    alarms.update([Trouble(Health.TOO_SLOW, "0.8x"), Trouble(Health.DISK_FULL, "full")], AT, 1.0)
    told = {alarm.health: (alarm.message, alarm.acknowledged_by) for alarm in alarms.active}
    alarms.update([], AT, 2.0)
    alarms.update([], AT, 2.0 + CLEAR_S)
    raised, _ = alarms.update([Trouble(Health.TOO_SLOW, "0.7x")], AT, 3.0 + CLEAR_S)

    assert (seen.acknowledged_by, seen.acknowledged_at) == ("anna", AT)
    assert told == {Health.TOO_SLOW: ("0.8x", "anna"), Health.DISK_FULL: ("full", "")}
    assert [alarm.acknowledged_by for alarm in raised] == [""]
