"""What is said of limits, and of ends for want of memory: pure text and numbers."""

import os
from pathlib import Path

import pytest

from transcoder_tui.errors import Fault
from transcoder_tui.host.cgroups import cgroup2_mount, own_path
from transcoder_tui.host.cpus import online_cpus
from transcoder_tui.models.channel import ChannelFields
from transcoder_tui.models.units import format_cpus
from transcoder_tui.worker.limits import UNLIMITED, InForce, Limits, cpu_faults, limits_text, over_memory, shortfalls
from transcoder_tui.worker.oom import oom_kills, over_ceiling, parse_kills

GIB = 1 << 30
ASKED = Limits(nice=5, cpus=frozenset({0, 1, 2, 3}), memory=2 * GIB)


def test_limits_are_read_from_the_document() -> None:
    channel = ChannelFields.model_validate({"name": "A", "nice": 5, "cpus": "0-3", "memory": "2G"})
    assert Limits.of(channel) == ASKED
    assert Limits.of(ChannelFields(name="A")) == UNLIMITED


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        (InForce(), ""),
        (InForce(ASKED, 5, frozenset({0, 1, 2, 3}), by_cgroup=True), "nice 5, CPUs 0-3, memory 2G (cgroup)"),
        (InForce(Limits(memory=3 * GIB // 2)), "memory 1536M (watched)"),
        (InForce(Limits(nice=-5), nice=0), "nice 0 instead of -5"),
        (InForce(Limits(cpus=frozenset({1, 9})), cpus=frozenset({1})), "CPUs 1 instead of 1,9"),
    ],
)
def test_the_limits_in_force_are_told_in_few_words(limits: InForce, text: str) -> None:
    assert limits_text(limits) == text


def test_what_could_not_be_applied_is_told_with_its_remedy() -> None:
    assert shortfalls(InForce(ASKED, 5, frozenset({0, 1, 2, 3}))) == []
    nice, cpus = shortfalls(InForce(Limits(nice=-5, cpus=frozenset({0, 9})), nice=0, cpus=frozenset({0})))
    assert (nice.field, nice.fault) == ("nice", "runs at nice 0 instead of -5")
    assert "LimitNICE=-5" in nice.remedy
    assert (cpus.field, cpus.fault) == ("cpus", "runs on CPUs 0 instead of 0,9")


def test_more_memory_than_allowed_is_a_reason_to_end_it_unless_the_kernel_sees_to_that() -> None:
    watched = InForce(Limits(memory=2 * GIB))
    assert over_memory(watched, 2 * GIB) is None
    found = over_memory(watched, 2 * GIB + 1)
    assert found is not None
    assert found.cause == "FFmpeg took more than 2G of memory"
    assert found.heals
    assert over_memory(InForce(Limits(memory=2 * GIB), by_cgroup=True), 3 * GIB) is None
    assert over_memory(InForce(), 3 * GIB) is None


@pytest.mark.parametrize(
    ("cpus", "faults"),
    [
        (None, []),
        ("0-1", []),
        ("0-3", [Fault("this host has no CPUs 2-3", "choose from 0-1", "cpus")]),
        ("9", [Fault("this host has no CPU 9", "choose from 0-1", "cpus")]),
    ],
)
def test_cpus_that_this_host_does_not_have_are_refused(cpus: str | None, faults: list[Fault]) -> None:
    channel = ChannelFields(name="A", cpus=cpus)
    assert cpu_faults(channel, frozenset({0, 1})) == faults
    assert cpu_faults(channel, frozenset()) == []


def test_cpus_are_written_as_ranges() -> None:
    assert [format_cpus(cpus) for cpus in ([0], [0, 1, 2, 3, 8], [2, 4], [])] == ["0", "0-3,8", "2,4", ""]


def test_this_machine_has_cpus() -> None:
    assert len(online_cpus()) == os.cpu_count()


def test_kills_for_want_of_memory_are_counted() -> None:
    assert oom_kills("nr_free_pages 7\noom_kill 3\ndrop_pagecache 0\n") == 3
    assert oom_kills("nr_free_pages 7\n") == 0


def test_the_kernels_log_tells_who_was_ended_and_whose_memory_ran_out() -> None:
    records = [
        "6,339,5140900,-;NET: Registered PF_INET6 protocol family\n SUBSYSTEM=net\n",
        "3,1201,8000000,-;Out of memory: Killed process 71 (ffmpeg) total-vm:9kB, anon-rss:1kB, UID:0 pgtables:60kB\n",
        "3,1209,9500000,-;Memory cgroup out of memory: Killed process 72 (ffmpeg-linux-x8) total-vm:9kB\n",
        "3,1210,9600000,-;Out of memory (oom_kill_allocating_task): Killed process 73 (ffmpeg) total-vm:9kB\n",
        "4,1211,9700000,-;oom-kill:constraint=CONSTRAINT_MEMCG,task=ffmpeg,pid=74,uid=0\n",
    ]
    found = {pid: (kill.at_s, kill.everywhere) for pid, kill in parse_kills(records).items()}
    assert found == {71: (8.0, True), 72: (9.5, False), 73: (9.6, True)}


def test_a_ceiling_that_was_hit_is_named() -> None:
    assert over_ceiling(2 * GIB).cause == "FFmpeg ran out of its memory limit of 2G"


def test_a_process_is_found_in_cgroup_v2_beside_v1() -> None:
    assert own_path("4:memory:/a\n0::/system.slice/x.service\n") == "/system.slice/x.service"
    assert own_path("4:memory:/a\n") is None
    mounts = "tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n"
    assert cgroup2_mount(mounts) == Path("/sys/fs/cgroup/unified")
    assert cgroup2_mount("tmpfs /run tmpfs rw 0 0\n") is None
