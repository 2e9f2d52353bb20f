"""Asks for a network interface, with what each carries at the moment."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from transcoder_tui.console import format as written
from transcoder_tui.console.screens.listing import ListDialog
from transcoder_tui.console.state import Rack
from transcoder_tui.console.widgets.cells import fit
from transcoder_tui.console.widgets.sparkline import sparkline

if TYPE_CHECKING:
    from transcoder_tui.models.view import Interface

Way = Literal["rx", "tx"]
"""What is looked at: what comes in, or what goes out."""

LINE = 16
"""Samples of the sparkline, a second apart."""
EVERY_S = 1.0


class InterfaceScreen(ListDialog[str]):
    """A list of the interfaces; dismissed with the name of the chosen one, or with an empty text for none.

    Args:
        interfaces: Those of the worker's host.
        rack: Knows what they carry.
        way: Whether something is received or sent.
        chosen: The one that the field holds now.
    """

    AUTO_FOCUS = "#interfaces"

    def __init__(self, interfaces: "Sequence[Interface]", rack: Rack, way: Way, chosen: str) -> None:
        super().__init__()
        self._interfaces = interfaces
        self._rack = rack
        self._way = way
        self._chosen = chosen

    def compose(self) -> ComposeResult:
        """Titles, and the interfaces below them."""
        with Vertical(classes="dialog -careful -wide", id="interface") as dialog:
            dialog.border_title = "Receive on" if self._way == "rx" else "Send from"
            dialog.border_subtitle = "return takes it, esc leaves the field as it is"
            yield Static(Content.styled(self._titles(), "$foreground 70%"), markup=False, id="interface-titles")
            yield OptionList(*map(Option, self._rows()), markup=False, compact=True, id="interfaces")

    def on_mount(self) -> None:
        """Begins at what the field holds, and keeps the rates up to date."""
        names = [interface.name for interface in self._interfaces]
        addresses = [interface.addresses[:1] for interface in self._interfaces]
        at = names.index(self._chosen) if self._chosen in names else -1
        if at < 0 and [self._chosen] in addresses:
            at = addresses.index([self._chosen])
        self.query_one(OptionList).highlighted = at + 1
        self.set_interval(EVERY_S, self._show)

    def _show(self) -> None:
        listed = self.query_one(OptionList)
        for place, words in enumerate(self._rows()):
            listed.replace_option_prompt_at_index(place, words)

    def _titles(self) -> str:
        rate = "Receives" if self._way == "rx" else "Sends"
        return f" {'Name':<15} {'State':<7} {'Link':>8}  {rate:>9}  {'last 16 s':<{LINE}}  Addresses"

    def _rows(self) -> list[Content]:
        none = Content.assemble((f" {'none':<15} ", "bold"), ("whichever the routing table says", "$foreground 70%"))
        return [none, *map(self._row, self._interfaces)]

    def _row(self, interface: "Interface") -> Content:
        nics = (nic for sample in self._rack.history for nic in sample.nics if nic.name == interface.name)
        rates = [nic.rx_bps if self._way == "rx" else nic.tx_bps for nic in nics]
        rate = written.with_unit(written.bitrate(rates[-1] if rates else None), "b/s")
        addresses = ", ".join(interface.addresses) or "no address"
        return Content.assemble(
            (f" {fit(interface.name, 15)} ", "bold"),
            (fit("● up" if interface.up else "○ down", 7), "$success" if interface.up else "$warning"),
            f" {_link(interface.speed_mbps):>8}  {rate:>9}  ",
            (sparkline(rates, LINE, max(rates, default=0)), "$primary"),
            ("  ", ""),
            (addresses, "" if interface.addresses else "$warning"),
            ("" if interface.multicast else "  no multicast", "$warning"),
        )

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Chooses."""
        self.dismiss(self._interfaces[event.option_index - 1].name if event.option_index else "")


def _link(speed_mbps: int) -> str:
    """A link's speed: ``1 Gb/s``, ``100 Mb/s``."""
    if not speed_mbps:
        return written.ABSENT
    return f"{speed_mbps / 1000:g} Gb/s" if speed_mbps >= 1000 else f"{speed_mbps} Mb/s"
