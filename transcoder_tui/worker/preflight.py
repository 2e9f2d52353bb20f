"""Tests what channels encode before they go on air, each kind of it once for each FFmpeg."""

import asyncio
import logging
import os
from collections.abc import Sequence

from transcoder_tui.errors import Fault, InvalidInput, TranscoderError
from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.facts import HostFacts
from transcoder_tui.ffmpeg.preflight import Preflight, build_preflight, faults_of
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.worker.errand import run_errand

AT_ONCE = max(1, (os.cpu_count() or 1) // 2)
"""Tests at the same time: half of the cores stay with the channels that are on air."""
LIMIT_S = 6.0
"""Seconds after which a test counts as not possible; it takes 0.12 to 0.34 s where the machine has something left."""
STEP = 10
"""Channels whose tests are built in one go before whoever else waits for the event loop has a turn."""

log = logging.getLogger(__name__)

_Said = tuple[int, str]
"""How a test ended, and its log."""
_Argv = tuple[str, ...]


class Preflights:
    """Remembers what was tested with the FFmpeg in use, and tests the rest.

    A test that cannot be run, or does not end, keeps no channel off the air.
    """

    def __init__(self) -> None:
        self._binary: Binary | None = None
        self._passed: set[_Argv] = set()
        self._proven: set[str] = set()
        self._running: dict[_Argv, asyncio.Task[_Said]] = {}
        self._free = asyncio.Semaphore(AT_ONCE)

    def trust(self, digest: str) -> None:
        """Takes a document for tested, because an FFmpeg runs with it.

        Args:
            digest: What :func:`transcoder_tui.worker.launch.digest` makes of it.
        """
        self._proven.add(digest)

    async def require(self, spec: ChannelSpec, digest: str, binary: Binary, host: HostFacts) -> None:
        """Tests a channel that is about to start, where that was not done yet; else it costs nothing.

        Args:
            spec: The channel.
            digest: As for :meth:`trust`.
            binary: The FFmpeg in use.
            host: This machine.

        Raises:
            InvalidInput: With what FFmpeg does not take, and the field.
        """
        self._use(binary)
        if digest in self._proven:
            return
        test = build_preflight(spec, binary, host)
        if test is not None and test.command.argv not in self._passed:
            found = faults_of(test, *await asyncio.shield(self._task(test)))
            if found:
                raise InvalidInput(found)
        self._proven.add(digest)

    async def faults(
        self, specs: Sequence[ChannelSpec], binary: Binary, host: HostFacts, patience_s: float
    ) -> list[list[Fault]]:
        """What FFmpeg does not take of some channels; those that encode alike are tested together.

        Args:
            specs: The channels.
            binary: The FFmpeg in use.
            host: This machine.
            patience_s: Seconds to wait at most; what is not tested by then is tested when it starts.

        Returns:
            The faults of each channel.
        """
        self._use(binary)
        found: list[list[Fault]] = [[] for _ in specs]
        asked: list[tuple[int, Preflight, asyncio.Task[_Said]]] = []
        for index, spec in enumerate(specs):
            if index % STEP == STEP - 1:
                await asyncio.sleep(0)
            try:
                test = build_preflight(spec, binary, host)
            except TranscoderError as error:
                found[index] = list(error.faults)
                continue
            if test is not None and test.command.argv not in self._passed:
                asked.append((index, test, self._task(test)))
        if asked:
            await asyncio.wait({task for _, _, task in asked}, timeout=patience_s)
        for index, test, task in asked:
            if task.done() and not task.cancelled():
                found[index] = faults_of(test, *task.result())
        return found

    def _use(self, binary: Binary) -> None:
        if self._binary is not None and binary is not self._binary:
            self._passed.clear()
            self._proven.clear()
        self._binary = binary

    def _task(self, test: Preflight) -> asyncio.Task[_Said]:
        argv = test.command.argv
        task = self._running.get(argv)
        if task is None:
            task = self._running[argv] = asyncio.get_running_loop().create_task(self._run(test))
            task.add_done_callback(lambda _: self._running.pop(argv, None))
        return task

    async def _run(self, test: Preflight) -> _Said:
        binary = self._binary
        async with self._free:
            try:
                said = await run_errand(test.command, LIMIT_S)
            except OSError as error:
                log.warning("a test of encoders could not be started: %s", error)
                return 0, ""
        if said.exit_code in _NOT_ENDED or said.exit_code < 0:
            log.warning("a test of encoders did not end within %g s", LIMIT_S)
            said_code, said_log = 0, ""
        else:
            said_code, said_log = said.exit_code, said.log
        if binary is self._binary and not faults_of(test, said_code, said_log):
            self._passed.add(test.command.argv)
        return said_code, said_log


_NOT_ENDED = (124, 137)
"""Exit codes of ``timeout`` where it had to end a command, by TERM or by KILL."""
