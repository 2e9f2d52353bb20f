"""What the bench of the console runs in its terminals: ``python console_programs.py PROGRAM SOCKET FIGURES``.

Each measures the gaps of its own event loop, and writes them to the file FIGURES when it gets SIGUSR1.
"""

import asyncio
import json
import signal
import sys
import time
from pathlib import Path, PurePath
from typing import ClassVar

from transcoder_tui.console import app  # first: it says how often Textual draws, which that reads when it is imported

# isort: split

from textual import work
from textual.app import App, ComposeResult
from textual.widgets import DataTable

from transcoder_tui.client.client import WorkerClient
from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.console.columns import lay_out
from transcoder_tui.console.edge import Edge
from transcoder_tui.console.state import Rack
from transcoder_tui.console.widgets.log_pane import LogPane
from transcoder_tui.models.view import LogChunk
from transcoder_tui.worker.logfile import ChannelLog

NAP_S = 0.02
"""The sleep whose overshoot is the lag of the loop."""


async def measure_lag(figures: Path) -> None:
    """Takes the lag of the running loop, and writes it down when asked to."""
    lags: list[float] = []

    def write() -> None:
        figures.write_text(json.dumps(lags))
        lags.clear()

    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, write)
    while True:
        begun = time.perf_counter()
        await asyncio.sleep(NAP_S)
        lags.append(time.perf_counter() - begun - NAP_S)


class ProbedConsole(ConsoleApp):
    """The console as it is."""

    CSS_PATH: ClassVar[list[str | PurePath]] = [Path(app.__file__).parent / name for name in ConsoleApp.CSS_PATH]

    def __init__(self, socket: Path, figures: Path) -> None:
        super().__init__(lambda: WorkerClient(socket))
        self._figures = figures

    def on_mount(self) -> None:
        self.run_worker(measure_lag(self._figures))


class TableApp(App[None]):
    """The same table on Textual's own widget, fed by the same stream."""

    CSS = "DataTable { height: 1fr; }"

    def __init__(self, socket: Path, figures: Path) -> None:
        super().__init__()
        self.animation_level = "none"
        self._socket = socket
        self._figures = figures
        self._cells: dict[tuple[int, str], str] = {}

    def compose(self) -> ComposeResult:
        yield DataTable(cursor_type="row")

    def on_mount(self) -> None:
        self.run_worker(measure_lag(self._figures))
        self._follow()

    @work
    async def _follow(self) -> None:
        table: DataTable[str] = self.query_one(DataTable)
        rack = Rack()
        columns = lay_out(self.size.width)
        for placed in columns:
            table.add_column(placed.column.title, width=placed.width, key=placed.column.key)
        async for message in Edge(WorkerClient(self._socket)).stream():
            if message.type == "snapshot":
                rack.fold_snapshot(message)
                for row in rack.channels.values():
                    cells = {placed.column.key: placed.column.read(row, rack.at)[0] for placed in columns}
                    self._cells |= {(row.id, key): text for key, text in cells.items()}
                    table.add_row(*cells.values(), key=str(row.id))
                continue
            for channel_id in rack.fold_delta(message).rows:
                for placed in columns:
                    key = placed.column.key
                    text = placed.column.read(rack.channels[channel_id], rack.at)[0]
                    if self._cells[channel_id, key] != text:
                        self._cells[channel_id, key] = text
                        table.update_cell(str(channel_id), key, text)


class LogEdge:
    """Serves one log from its file, without a worker between."""

    def __init__(self, log: ChannelLog) -> None:
        self._log = log

    async def log(self, channel_id: int, *, lines: int, offset: int | None = None) -> LogChunk:
        return self._log.tail(lines) if offset is None else self._log.read(offset, lines)


class LogApp(App[None]):
    """The log pane alone, on a file that another process writes."""

    CSS = "LogPane { height: 1fr; overflow-y: scroll; overflow-x: hidden; }"

    def __init__(self, file: Path, figures: Path) -> None:
        super().__init__()
        self._log = ChannelLog(file, 10_000_000)
        self._figures = figures

    def compose(self) -> ComposeResult:
        yield LogPane(id="log")

    def on_mount(self) -> None:
        self.run_worker(measure_lag(self._figures))
        self.set_interval(1.0, self.query_one(LogPane).poll)

    def on_key(self) -> None:
        """Opens the log."""
        self.query_one(LogPane).open(LogEdge(self._log), 1)  # type: ignore[arg-type]


PROGRAMS = {"console": ProbedConsole, "table": TableApp, "log": LogApp}


def main() -> None:
    name, path, figures = sys.argv[1:]
    PROGRAMS[name](Path(path), Path(figures)).run()


if __name__ == "__main__":
    main()
