"""The machine at a glance: CPU, RAM, disk and every network interface, with figures and sparklines."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.strip import Strip

from transcoder_tui.console import format as written
from transcoder_tui.console.state import Rack
from transcoder_tui.console.widgets.cells import fit, line
from transcoder_tui.console.widgets.painted import Painted
from transcoder_tui.console.widgets.sparkline import sparkline

if TYPE_CHECKING:
    from transcoder_tui.models.view import SystemSample

Parts = list[tuple[str, str]]
"""Texts, each with the name of its style."""

NIC_WIDTH = 38
"""Least cells of one interface: two of them stand side by side on 80 columns."""
NIC_LINES = 3
"""Most lines of interfaces; further ones are counted."""
LEAST_TOP = 100_000.0
"""Bits per second at which an interface's sparkline is full at the least, so that ARP does not look like a picture."""
BUSY, FULL = 80.0, 95.0
"""Percent from which a figure warns and from which it alarms."""


class SystemStrip(Painted):
    """Shows the history of a rack's machine.

    Args:
        rack: Whose history is shown.
    """

    PREFIX = "system-strip"
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "system-strip--label",
        "system-strip--figure",
        "system-strip--warn",
        "system-strip--bad",
        "system-strip--muted",
        "system-strip--in",
        "system-strip--out",
    }

    def __init__(self, rack: Rack, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._rack = rack
        self._listed: tuple[SystemSample | None, list[str]] = (None, [])

    @property
    def _names(self) -> list[str]:
        """The interfaces to show; looked for once a second, in five minutes of samples."""
        latest = self._rack.history[-1] if self._rack.history else None
        if latest is not self._listed[0]:
            self._listed = (latest, listed(self._rack.history))
        return self._listed[1]

    def wanted(self, width: int) -> int:
        """Lines that the machine and its interfaces need in ``width`` cells."""
        nics = len(self._names)
        return 1 + min(NIC_LINES, -(-nics // side_by_side(nics, width)))

    def allow(self, lines: int) -> None:
        """Takes as many lines as there are for it; none hides it."""
        self.display = lines > 0
        self.styles.height = max(1, lines)

    def render_line(self, y: int) -> Strip:
        """Line 0 is CPU, RAM and disk; the interfaces follow."""
        width = self.size.width
        if not self._rack.history:
            return Strip.blank(width, self.base)
        history = list(self._rack.history)[-width:]
        parts = machine_parts(history, width) if y == 0 else self._nic_parts(history, y - 1, width)
        return line(((text, self.tone(style)) for text, style in parts), width, self.base)

    def _nic_parts(self, history: "Sequence[SystemSample]", number: int, width: int) -> Parts:
        names = self._names
        per_line = side_by_side(len(names), width)
        chosen = names[number * per_line : (number + 1) * per_line]
        parts: Parts = []
        for name in chosen:
            parts += nic_parts(history, name, width // per_line)
        lines = self.size.height - 1
        left_out = len(names) - lines * per_line
        if left_out > 0 and number == lines - 1:
            parts += [(f" +{left_out}", "muted")]
        return parts


def side_by_side(nics: int, width: int) -> int:
    """How many interfaces share a line."""
    return max(1, min(nics, width // NIC_WIDTH))


def listed(history: "Sequence[SystemSample]") -> list[str]:
    """Interfaces to show: by name, those that are up first.

    The loopback comes after the others that are up: it carries no channel to anybody. One that is down and carried
    nothing in the whole history, such as a virtual machine's ifb0, is not listed.
    """
    if not history:
        return []
    busy = {nic.name for sample in history for nic in sample.nics if nic.rx_bps or nic.tx_bps}
    nics = (nic for nic in history[-1].nics if nic.up or nic.name in busy)
    return [nic.name for nic in sorted(nics, key=lambda nic: (not nic.up, nic.name == "lo", nic.name))]


def machine_parts(history: "Sequence[SystemSample]", width: int) -> Parts:
    """CPU, RAM and disk on one line."""
    now = history[-1]
    ram = 100 * now.ram_used / max(1, now.ram_total)
    spark = max(4, (width - 60) // 2)
    cpus = [sample.cpu_percent for sample in history]
    rams = [100 * sample.ram_used / max(1, sample.ram_total) for sample in history]
    return [
        (" CPU ", "label"),
        (f"{now.cpu_percent:3.0f}% ", level(now.cpu_percent)),
        (sparkline(cpus, spark, 100.0), "in"),
        (f" load {now.load:.1f}/{now.cores}".ljust(13), "muted"),
        (" RAM ", "label"),
        (f"{ram:3.0f}% ", level(ram)),
        (sparkline(rams, spark, 100.0), "out"),
        (f" {written.size(now.ram_used)}/{written.size(now.ram_total)}".ljust(11), "muted"),
        (" Disk ", "label"),
        (f"{written.size(now.disk_free)} free", level(100 - 100 * now.disk_free / max(1, now.disk_total))),
    ]


def nic_parts(history: "Sequence[SystemSample]", name: str, width: int) -> Parts:
    """One interface: what comes in and what goes out, in ``width`` cells."""
    received: list[float] = []
    sent: list[float] = []
    up = False
    for sample in history:
        for nic in sample.nics:
            if nic.name == name:
                received.append(nic.rx_bps)
                sent.append(nic.tx_bps)
                up = nic.up
    label = fit(name, 7)
    if not up:
        return [(f" {label} ", "label"), (fit("✖ down", width - 9), "bad")]
    spark = max(3, (width - 9 - 18) // 2)
    rest = width - 9 - 2 * (8 + spark) - 1
    return [
        (f" {label} ", "label"),
        (f"↓{written.bitrate(received[-1]):>6} ", "figure"),
        (sparkline(received, spark, _top(received[-spark:])), "in"),
        (f" ↑{written.bitrate(sent[-1]):>6} ", "figure"),
        (sparkline(sent, spark, _top(sent[-spark:])), "out"),
        (" " * rest, "muted"),
    ]


def _top(values: Sequence[float]) -> float:
    """The value of a full block: more than the largest, so that a steady rate does not look like a full link."""
    return 1.25 * max(LEAST_TOP, *values)


def level(percent: float) -> str:
    """The style of a figure that may run full."""
    return "bad" if percent >= FULL else "warn" if percent >= BUSY else "figure"
