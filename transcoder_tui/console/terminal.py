"""The console's terminal, which may be slow, gone or out of its mind.

A slow or stalled link holds up the picture and nothing else.

Textual's writer queues 30 writes and then blocks the event loop (measured: 31 s after an SSH link stalls, at one frame
a second): a console that stopped 500 channels would wait in the middle of it. What the terminal cannot take is left
out here, and all of it is drawn anew once it takes something again.
"""

import os
import select
from functools import cached_property

from textual.drivers._writer_thread import MAX_QUEUED_WRITES, WriterThread
from textual.drivers.linux_driver import LinuxDriver

from transcoder_tui.console.canvas import Canvas
from transcoder_tui.console.typed import Typed

COLUMNS, LINES = 80, 24
"""Size of a terminal that does not know its own, as one at a serial line."""
POLL_MS = 100
"""How often the reader looks whether it is to end, and whether an ESC was a key."""
RESERVE = 6
"""Places in the writer's queue that pictures leave free, for what ends the application mode: nine writes, some of which
the writer takes at once."""


class PatientDriver(LinuxDriver):
    """Textual's driver, which here waits for no terminal and bears whatever one sends."""

    @cached_property
    def canvas(self) -> Canvas:
        """What the terminal shows."""
        return Canvas()

    missed = False
    """Whether something was not drawn."""
    _draws = False
    """Whether pictures are written; what sets the terminal up or restores it is never left out."""

    @property
    def _writer(self) -> WriterThread:
        assert self._writer_thread is not None
        return self._writer_thread

    def write(self, data: str) -> None:
        """Writes, or leaves out what the terminal would take only later."""
        if self._draws and (self.missed or self._writer._queue.qsize() >= MAX_QUEUED_WRITES - RESERVE):
            self.missed = True
            self.canvas.forget()
        else:
            super().write(data)

    def _get_terminal_size(self) -> tuple[int, int]:
        """Columns and lines of the terminal itself: COLUMNS and LINES may be set, and do not follow it."""
        try:
            columns, lines = os.get_terminal_size(self.fileno)
        except OSError:
            return super()._get_terminal_size()
        return columns or COLUMNS, lines or LINES

    def catches_up(self) -> bool:
        """Whether all has to be drawn anew, because something was left out and the terminal takes it now."""
        if not self.missed or not self._writer._queue.empty():
            return False
        self.missed = False
        return True

    def start_application_mode(self) -> None:
        """Sets the terminal up."""
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self.canvas.forget()
        self._draws = True

    def disable_input(self) -> None:
        """Begins to restore the terminal."""
        self._draws = False
        super().disable_input()

    def stop_application_mode(self) -> None:
        """Restores the terminal."""
        self._draws = False
        super().stop_application_mode()

    def run_input_thread(self) -> None:
        """Reads keys, mouse and pastes until the app ends or the terminal is gone."""
        typed = Typed()
        poller = select.poll()
        poller.register(self.fileno, select.POLLIN)
        while not self.exit_event.is_set():
            if poller.poll(POLL_MS):
                try:
                    octets = os.read(self.fileno, 4096)
                except OSError:
                    return
                if not octets:
                    return
                for event in typed.feed(octets):
                    self.process_message(event)
            for event in typed.tick():
                self.process_message(event)
