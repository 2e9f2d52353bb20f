"""Faults 21, 22 and 26: a clock that jumps, memory that runs out, a system that refuses to start a process."""

import asyncio
import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import procfs
import pytest
from faults_rig import Faulty, NotHere, come_true
from worker_rig import is_running

SHIFTED_CLOCK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long shift(void) {
  char text[32] = {0};
  const char *path = getenv("CLOCK_SHIFT");
  int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return 0;
  if (read(file, text, sizeof text - 1) < 0) text[0] = 0;
  close(file);
  return atol(text);
}

int clock_gettime(clockid_t clock, struct timespec *at) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  int result = real(clock, at);
  if (!result && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) at->tv_sec += shift();
  return result;
}

time_t time(time_t *at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (at) *at = now.tv_sec;
  return now.tv_sec;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  at->tv_sec = now.tv_sec;
  at->tv_usec = now.tv_nsec / 1000;
  return 0;
}
"""
"""Shifts the wall clock of the processes that load it: CLOCK_REALTIME has no namespace, time_namespaces(7)."""


def shifted_clock(directory: Path) -> Path | None:
    """Compiles the library; None where there is no compiler."""
    source, library = directory / "clock.c", directory / "clock.so"
    source.write_text(SHIFTED_CLOCK)
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    command = [compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"]
    return None if subprocess.run(command, check=False, capture_output=True).returncode else library


@pytest.mark.parametrize("hours", [1, -1])
async def test_21_a_wall_clock_that_jumps_touches_no_channel(
    fault: Faulty, not_here: NotHere, tmp_path: Path, hours: int
) -> None:
    name = f"wall clock jumps by {hours:+d} h"
    library = shifted_clock(tmp_path)
    if library is None:
        not_here(21, name, "there is no C compiler here to shift the clock with")
    shift = tmp_path / "shift"
    under = ("env", f"LD_PRELOAD={library}", f"CLOCK_SHIFT={shift}")
    async with fault(21, name, under=under, RETRY__ATTEMPTS="3") as rig:
        victim = await rig.on_air()
        rig.strike()

        shift.write_text(str(hours * 3600))
        await asyncio.sleep(6.0)

        row = await rig.until(victim.id, is_running)
        assert row.pid == victim.pid
        assert not rig.complaints
        # A wait for an attempt that the clock jumps in.
        rig.control("Failing", exit_after_s=0, exit_code=1, stderr=["[error] Conversion failed!"])
        failing = await rig.create("Failing")
        await rig.until(failing, lambda row: row.attempt >= 2)
        shift.write_text("0")
        rig.control("Failing")
        await rig.until(failing, is_running, timeout_s=20)
        rig.nothing_to_show_of("Victim")


@pytest.mark.quick
async def test_22_a_channel_that_takes_too_much_memory_is_ended_and_the_reason_named(fault: Faulty) -> None:
    async with fault(22, "memory beyond the channel's ceiling") as rig:
        victim = await rig.on_air(memory="128M")
        rig.strike()

        rig.control("Victim", allocate_mb=300, once=True)

        await rig.back(victim)
        await rig.shown("Victim: .*memory")


@contextmanager
def memory_cgroup(name: str, limit: int) -> Iterator[Path | None]:
    """A cgroup with a ceiling on memory, of either version; None where that is not permitted."""
    roots = (Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup"))
    made: Path | None = None
    for root in roots:
        for file in ("memory.limit_in_bytes", "memory.max"):
            if made is None and (root / name).parent.is_dir() and os.access(root, os.W_OK):
                try:
                    (root / name).mkdir(exist_ok=True)
                    (root / name / file).write_text(str(limit))
                    made = root / name
                except OSError:
                    continue
    try:
        yield made
    finally:
        for root in roots:
            try:
                (root / name).rmdir()
            except OSError:
                continue


async def test_22_an_oom_kill_by_the_kernel_is_named_as_such(fault: Faulty, not_here: NotHere) -> None:
    name = "killed by the kernel's OOM killer"
    with memory_cgroup(f"tt-{os.getpid()}", 120_000_000) as cgroup:
        if cgroup is None:
            not_here(22, name, "making a cgroup with a memory ceiling is not permitted here")
        async with fault(22, name) as rig:
            victim = await rig.on_air()
            rig.strike()
            (cgroup / "cgroup.procs").write_text(str(victim.pid))

            rig.control("Victim", allocate_mb=300, once=True)

            await rig.back(victim)
            await rig.shown("Victim: .*(memory|OOM)")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("EAGAIN", "no more processes are allowed"),
        ("ENOMEM", "out of memory"),
        ("EMFILE", "too many open files"),
        ("EIO", "Input/output error"),
    ],
)
async def test_26_a_system_that_starts_no_process_is_told_and_tried_again(
    fault: Faulty, error: str, words: str
) -> None:
    async with fault(26, f"{error} at the start of FFmpeg") as rig:
        victim = await rig.on_air()
        rig.strike()
        rig.arm(f"spawn.before=2*error:{error}")

        os.kill(victim.pid, signal.SIGKILL)

        await rig.shown(f"Victim: .*FFmpeg could not be started: .*{words}")
        await rig.back(victim)


@pytest.mark.quick
async def test_26_a_worker_without_descriptors_keeps_its_channels_and_recovers(fault: Faulty) -> None:
    async with fault(26, "worker out of file descriptors (real EMFILE)") as rig:
        victim = await rig.on_air()
        rig.strike()
        before = resource.prlimit(rig.worker_pid, resource.RLIMIT_NOFILE)
        resource.prlimit(rig.worker_pid, resource.RLIMIT_NOFILE, (procfs.descriptors(rig.worker_pid) - 2, before[1]))

        os.kill(victim.pid, signal.SIGKILL)

        await asyncio.sleep(4.0)
        resource.prlimit(rig.worker_pid, resource.RLIMIT_NOFILE, before)
        await rig.back(victim)
        await rig.shown("Victim: .*(Too many open files|SIGKILL)")


@contextmanager
def pids_cgroup(name: str) -> Iterator[Path | None]:
    """A cgroup that bounds the number of processes; None where that is not permitted."""
    roots = (Path("/sys/fs/cgroup/pids"), Path("/sys/fs/cgroup"))
    made = None
    for root in roots:
        if made is None and root.is_dir() and os.access(root, os.W_OK):
            try:
                (root / name).mkdir(exist_ok=True)
                (root / name / "pids.max").write_text("max")
                made = root / name
            except OSError:
                continue
    try:
        yield made
    finally:
        for root in roots:
            try:
                (root / name).rmdir()
            except OSError:
                continue


async def test_26_a_real_limit_on_processes_is_told_and_tried_again(fault: Faulty, not_here: NotHere) -> None:
    name = "no process may be started (real EAGAIN)"
    with pids_cgroup(f"tt-{os.getpid()}") as cgroup:
        if cgroup is None:
            not_here(26, name, "making a cgroup with a limit on processes is not permitted here")
        async with fault(26, name) as rig:
            victim = await rig.on_air()
            rig.strike()
            (cgroup / "cgroup.procs").write_text(str(rig.worker_pid))
            (cgroup / "pids.max").write_text("1")

            os.kill(victim.pid, signal.SIGKILL)

            await rig.shown("Victim: .*FFmpeg could not be started: no more processes")
            (cgroup / "pids.max").write_text("max")
            await rig.back(victim)
            for pid in (cgroup / "cgroup.procs").read_text().split():
                (cgroup.parent / "cgroup.procs").write_text(pid)
            await come_true(lambda: not (cgroup / "cgroup.procs").read_text(), "an empty cgroup")
