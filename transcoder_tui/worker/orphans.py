"""FFmpegs that belong to no channel any more: their channel was deleted while no worker could stop them."""

import asyncio
import logging
import signal
from collections.abc import Collection
from pathlib import Path

from transcoder_tui.worker.process import KILL_S, SECOND_TERM_S, Process, adopt
from transcoder_tui.worker.rundir import RunDir

log = logging.getLogger(__name__)


async def stop_orphans(run_path: Path, known: Collection[int]) -> None:
    """Ends every FFmpeg whose channel is not known.

    Args:
        run_path: The run directory.
        known: The ids of the channels that there are.
    """
    directories = RunDir.all(run_path)
    found = [adopt(directory) for channel_id, directory in directories.items() if channel_id not in known]
    await asyncio.gather(*(_stop(process) for process in found if process is not None))


async def _stop(process: Process) -> None:
    log.warning("FFmpeg %s belongs to a deleted channel and is ended", process.pid)
    ended = asyncio.Event()
    process.watch(lambda _: ended.set())
    process.signal(signal.SIGTERM, signal.SIGCONT)
    asyncio.get_running_loop().call_later(SECOND_TERM_S, process.signal, signal.SIGTERM)
    try:
        async with asyncio.timeout(KILL_S):
            await ended.wait()
    except TimeoutError:
        process.signal(signal.SIGKILL)
