"""The machine in depth, in lines: cores, memory and disks, network interfaces, multicast groups, FFmpegs. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

from transcoder_tui.console import format as written
from transcoder_tui.console.status import SLOW
from transcoder_tui.console.widgets.cells import fit
from transcoder_tui.console.widgets.sparkline import BLOCKS, sparkline
from transcoder_tui.console.widgets.system_strip import LEAST_TOP, level

if TYPE_CHECKING:
    from transcoder_tui.models.machine import DiskUse, Machine, MulticastGroup, NicUse
    from transcoder_tui.models.view import ChannelView, SystemSample

Parts = list[tuple[str, str]]
"""Texts, each with the name of its style."""

CELL = 26
"""Cells of a core's number, bar and percentage where there is room for them."""
LEAST_CELL = 16
"""Below which the bar says nothing."""
LABEL = 8
"""Cells for the name of an interface; the kernel allows 15, and most have fewer than 9."""
INTERFACE = 10
"""The same below its title among the groups."""
PACKETS = 9
"""Cells for packets a second: ``99.9k p/s``."""
BROAD_LOSSES = 32
"""Cells from which on losses are told in whole words."""
LEAST_BAR = 6
"""Cells below which a bar says no more than the figure beside it."""
LEAST_ABOUT = 16
"""Cells below which the encoders of an FFmpeg are not worth showing."""
GROUP = 17
"""Cells for an IPv4 group; IPv6 takes more from the channels' names."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line."""

    parts: Parts
    key: str = ""
    """Names what it is about, so that the cursor stays on it; empty where the cursor has no business."""
    channel: str = ""
    """Name of the channel to open from it."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a part of the screen shows."""

    rows: list[Row] = field(default_factory=list)
    note: str = ""
    """Its sum, beside its heading."""
    titles: Parts = field(default_factory=list)
    """The line above its columns; empty for none."""
    fault: str = ""
    """What needs an eye, in words that go before the note."""


def bar(percent: float, width: int) -> str:
    """How much of something is taken: ``■■■■······``."""
    full = min(width, max(0, round(percent / 100 * width)))
    return "■" * full + "·" * (width - full)


# Cores


def cores(machine: "Machine", width: int, height: int) -> Part:
    """Each core: with its bar, where that is too broad with a block, where even that is too many as a block alone."""
    busy, count = machine.cores, len(machine.cores)
    load = " ".join(f"{average:.2f}" for average in machine.load)
    note = f"{written.plural(count, 'core')}, {sum(busy) / max(1, count):.0f}% busy, load {load}"
    return Part(_core_rows(busy, width, height), note, fault=_full_cores(busy))


def _full_cores(busy: Sequence[float]) -> str:
    full = sum(level(percent) == "bad" for percent in busy)
    return "" if not full else "▲ all cores full" if full == len(busy) else f"▲ {written.plural(full, 'core')} full"


def _core_rows(busy: Sequence[float], width: int, height: int) -> list[Row]:
    count = len(busy)
    digits = len(str(max(0, count - 1)))
    lines = max(1, min(height, -(-count // max(1, width // CELL))))
    cell = width // max(1, -(-count // lines))
    if cell >= LEAST_CELL:
        cells = [_core_bar(number, percent, digits, cell) for number, percent in enumerate(busy)]
    else:
        lines = -(-count // max(1, width // (digits + 9)))
        if lines > height:
            return _dense(busy, width)
        cells = [_core_block(number, percent, digits) for number, percent in enumerate(busy)]
    return [Row(list(chain(*cells[place::lines]))) for place in range(min(lines, count))]


def _core_bar(number: int, percent: float, digits: int, width: int) -> Parts:
    drawn = bar(percent, width - digits - 8)
    full = drawn.count("■")
    return [
        (f" {number:>{digits}} ", "label"),
        (drawn[:full], _load_tone(percent)),
        (drawn[full:], "muted"),
        (f" {percent:3.0f}% ", level(percent)),
    ]


def _core_block(number: int, percent: float, digits: int) -> Parts:
    return [
        (f" {number:>{digits}} ", "label"),
        (_block(percent), _load_tone(percent)),
        (f" {percent:3.0f}% ", level(percent)),
    ]


def _dense(busy: Sequence[float], width: int) -> list[Row]:
    """Blocks alone, the first and last core of each line before them."""
    digits = len(str(len(busy)))
    room = max(8, (width - 2 * digits - 4) // 8 * 8)
    rows = []
    for begin in range(0, len(busy), room):
        some = busy[begin : begin + room]
        label = f" {begin:>{digits}}–{begin + len(some) - 1:<{digits}} "  # noqa: RUF001 - from one to the other
        rows.append(Row([(label, "label"), *((_block(percent), _load_tone(percent)) for percent in some)]))
    return rows


def _block(percent: float) -> str:
    return BLOCKS[min(len(BLOCKS) - 1, max(0, round(percent / 100 * (len(BLOCKS) - 1))))]


def _load_tone(percent: float) -> str:
    tone = level(percent)
    return "in" if tone == "figure" else tone


# Memory and disks


def memory(machine: "Machine", width: int, _: int) -> Part:
    """RAM, swap, and each disk on which something of ours lies."""
    use = machine.memory
    left = f"{written.size(use.used)} of {written.size(use.total)}, {written.size(use.available)} left"
    rows = [_used("RAM", use.used, use.total, left, width)]
    if use.swap_total:
        words = f"{written.size(use.swap_used)} of {written.size(use.swap_total)}"
        rows.append(_used("Swap", use.swap_used, use.swap_total, words, width))
    for disk in machine.disks:
        rows += _disk(disk, width)
    silent = [disk.mount for disk in machine.disks if not disk.answers]
    fault = f"▲ {silent[0]} hangs" if silent else ""
    return Part(rows, f"{written.plural(len(machine.disks), 'disk')} of ours", fault=fault)


def _used(label: str, used: float, total: float, words: str, width: int) -> Row:
    percent = 100 * used / max(1, total)
    wide = max(6, min(40, (width - 12 - 7) // 3))
    drawn = bar(percent, wide)
    full = drawn.count("■")
    tone = level(percent)
    return Row(
        [
            (f" {fit(label, 10)} ", "label"),
            (drawn[:full], "out" if tone == "figure" else tone),
            (drawn[full:], "muted"),
            (f" {percent:3.0f}% ", tone),
            (fit(f" {words}", max(0, width - wide - 18)), "plain"),
        ]
    )


def _disk(disk: "DiskUse", width: int) -> list[Row]:
    about = f"{', '.join(disk.holds)} on {disk.device}"
    if disk.read_bps is not None and disk.write_bps is not None:
        about = f"r {written.size(disk.read_bps)}/s w {written.size(disk.write_bps)}/s  {about}"
    holds = Row([(fit(f"            {about}", width), "muted")])
    if not disk.answers:
        words = "✖ hangs: what writes there may stand still"
        return [Row([(f" {fit(disk.mount, 10)} ", "label"), (fit(words, max(0, width - 12)), "bad")]), holds]
    words = f"{written.size(disk.free)} free of {written.size(disk.total)}"
    return [_used(disk.mount, disk.total - disk.free, disk.total, words, width), holds]


# Network


def network(machine: "Machine", history: "Sequence[SystemSample]", width: int, _: int) -> Part:
    """Each interface with what comes in and goes out over the last minutes, and what it lost; the sum without lo."""
    nics = sorted(machine.nics, key=lambda nic: (not nic.up, nic.name == "lo", nic.name))
    rates: dict[str, list[tuple[float, float]]] = {}
    for sample in history:
        for seen in sample.nics:
            rates.setdefault(seen.name, []).append((seen.rx_bps, seen.tx_bps))
    rows = [row for nic in nics for row in _nic(nic, rates.get(nic.name, []), width)]
    losing = [
        nic.name
        for nic in nics
        if _losses(nic.rx_drops_per_min, nic.rx_errors_per_min, nic.tx_drops_per_min, nic.tx_errors_per_min)
    ]
    received, sent = (
        sum(nic.rx_bps for nic in nics if nic.name != "lo"),
        sum(nic.tx_bps for nic in nics if nic.name != "lo"),
    )
    note = f"in {written.bitrate(received)}b/s, out {written.bitrate(sent)}b/s"
    return Part(rows, note, fault=f"▲ {losing[0]} loses packets" if losing else "")


def _nic(nic: "NicUse", rates: Sequence[tuple[float, float]], width: int) -> list[Row]:
    name = fit(nic.name, LABEL)
    about = (
        [f"{nic.speed_mbps / 1000:g} Gb/s" if nic.speed_mbps >= 1000 else f"{nic.speed_mbps} Mb/s"]
        if nic.speed_mbps
        else []
    )
    about += [", ".join(nic.addresses)] if nic.addresses else []
    about += [f"mtu {nic.mtu}"] if nic.mtu else []
    if nic.groups:
        about.append(written.plural(len(nic.groups), "group"))
    if not nic.up:
        return [
            Row(
                [
                    (f" {name} ", "name"),
                    (fit("✖ down", 8), "bad"),
                    (fit("  ".join(about), max(0, width - LABEL - 10)), "muted"),
                ]
            )
        ]
    half = (width - LABEL - 2) // 2
    incoming = _direction("↓", nic.rx_bps, [rate for rate, _ in rates], half, nic.speed_mbps, "in")
    outgoing = _direction("↑", nic.tx_bps, [rate for _, rate in rates], half, nic.speed_mbps, "out")
    lost = [
        *_lost(nic.rx_pps, nic.rx_drops_per_min, nic.rx_errors_per_min, half),
        *_lost(nic.tx_pps, nic.tx_drops_per_min, nic.tx_errors_per_min, half),
    ]
    rows = [Row([(f" {name} ", "name"), *incoming, *outgoing]), Row([(" " * (LABEL + 2), "plain"), *lost])]
    if about:
        rows.append(Row([(fit(" " * (LABEL + 2) + "  ".join(about), width), "muted")]))
    return rows


def _direction(arrow: str, now: float, rates: list[float], width: int, speed_mbps: int, tone: str) -> Parts:
    share = f"{now / speed_mbps / 1e4:3.0f}%" if speed_mbps else ""
    room = max(0, width - 9 - 6)
    percent = now / speed_mbps / 1e4 if speed_mbps else 0
    top = 1.25 * max(LEAST_TOP, *rates[-room:], now) if room else LEAST_TOP
    return [
        (f"{arrow} {written.bitrate(now):>5} ", "figure"),
        (sparkline(rates, room, top), tone),
        (f" {share:4}  ", level(percent) if speed_mbps else "muted"),
    ]


def _lost(pps: float, drops: int | None, errors: int | None, width: int) -> Parts:
    """Packets a second, and what was lost in the last minute, in as many words as there is room for."""
    room = max(0, width - PACKETS - 2)
    words = f"{written.count(drops)} drops {written.count(errors)} err"
    if room >= BROAD_LOSSES:
        words = f"{written.count(drops)} drops, {written.count(errors)} errors a minute"
    packets = f"{written.count(round(pps))} p/s"
    return [(f"{packets:{PACKETS}} ", "plain"), (fit(words, room) + " ", "warn" if _losses(drops, errors) else "muted")]


def _losses(*figures: int | None) -> bool:
    return any(figures)


# Multicast


def groups(machine: "Machine", width: int, _: int) -> Part:
    """Each multicast group on each interface: who reads it, who sends it; ours first."""
    found = [(nic.name, group) for nic in machine.nics for group in nic.groups]
    found.sort(key=lambda pair: (not _is_ours(pair[1]), pair[0]))
    longest = max((len(group.address) for _, group in found), default=0)
    address = min(max(GROUP, longest + 2), max(GROUP, width // 3))
    rest = max(0, width - address - INTERFACE - 7 - 1)
    half = rest // 2
    missing = sum(_is_missing(group) for _, group in found)
    words = fit("Group", address) + fit("Interface", INTERFACE) + "Users  " + fit("Read by", half)
    titles = [(f" {words}{fit('Sent by', rest - half)}", "title")]
    ours = sum(_is_ours(group) for _, group in found)
    note = f"{written.plural(len(found), 'group')}, {ours} ours" if found else ""
    fault = f"▲ {missing} not joined" if missing else ""
    return Part(
        [_group(nic, group, address, half, rest - half) for nic, group in found], note, titles if found else [], fault
    )


def _group(nic: str, group: "MulticastGroup", address: int, half: int, rest: int) -> Row:
    missing = _is_missing(group)
    plain = "plain" if _is_ours(group) else "muted"
    readers = ", ".join(group.readers)
    return Row(
        [
            (f" {fit(group.address, address)}", plain),
            (fit(nic, INTERFACE), "muted"),
            (f"{f'▲ {group.users}' if missing else group.users:>5}  ", "warn" if missing else plain),
            (fit(readers, half - 1) + " " if half else "", "warn" if missing else "in"),
            (fit(", ".join(group.senders), rest), "out"),
        ],
        key=f"{nic} {group.address}",
        channel=next(iter([*group.readers, *group.senders]), ""),
    )


def _is_ours(group: "MulticastGroup") -> bool:
    return bool(group.readers or group.senders)


def _is_missing(group: "MulticastGroup") -> bool:
    """Whether a channel of ours reads it although no socket has joined it."""
    return bool(group.readers) and not group.users


# FFmpegs

Cost = Callable[["ChannelView"], Any]

COSTS: dict[str, Cost] = {
    "cpu": lambda row: row.telemetry.cpu_percent,
    "memory": lambda row: row.telemetry.rss_bytes,
    "fps": lambda row: row.telemetry.fps,
    "speed": lambda row: row.telemetry.speed,
    "bitrate": lambda row: row.telemetry.bitrate,
    "name": lambda row: row.name.casefold(),
}
"""What FFmpegs are sorted by; one that is not known sorts last, whichever way."""

SMALLEST_FIRST = frozenset({"speed", "name"})
"""Where the first sorting is upward: the slowest is the one to look at."""

_TITLES = (
    ("cpu", "CPU", 6),
    ("memory", "Memory", 7),
    ("fps", "fps", 7),
    ("speed", "Speed", 7),
    ("bitrate", "Bitrate", 8),
)


def ffmpegs(rows: "Iterable[ChannelView]", sort: str, *, reverse: bool, width: int) -> Part:
    """FFmpeg processes by what they cost."""
    running = sorted((row for row in rows if row.pid is not None), key=lambda row: (row.name.casefold(), row.id))
    key = COSTS[sort]
    known = sorted((row for row in running if key(row) is not None), key=key, reverse=reverse)
    ordered = known + [row for row in running if key(row) is None]
    cpu = sum(row.telemetry.cpu_percent or 0 for row in running)
    memory = sum(row.telemetry.rss_bytes or 0 for row in running)
    note = f"{len(running)} run, {cpu / 100:.1f} cores, {written.size(memory)}" if running else ""
    arrow = "↓" if reverse else "↑"
    wide = max(0, min(24, (width - 70) // 3))
    wide = wide if wide >= LEAST_BAR else 0
    titles = [(" ", "title")]
    for column, title, cells in _TITLES:
        words = f"{title}{arrow}" if column == sort else title
        titles.append((f"{words:>{cells}}", "title-chosen" if column == sort else "title"))
        if column == "cpu" and wide:
            titles.append((" " * (wide + 1), "title"))
    titles += [
        (f"{'PID':>9}  ", "title"),
        ("Channel" + arrow * (sort == "name"), "title-chosen" if sort == "name" else "title"),
    ]
    top = max((row.telemetry.cpu_percent or 0 for row in running), default=0)
    listed = [_ffmpeg(row, top, wide, width) for row in ordered]
    return Part(listed, note, titles if running else [])


def _ffmpeg(row: "ChannelView", top: float, wide: int, width: int) -> Row:
    figures = row.telemetry
    cpu = written.ABSENT if figures.cpu_percent is None else f"{figures.cpu_percent:.0f}%"
    size = written.ABSENT if figures.rss_bytes is None else written.size(figures.rss_bytes)
    slow = figures.speed is not None and figures.speed < SLOW
    drawn = bar(100 * (figures.cpu_percent or 0) / max(1.0, top), wide)
    full = drawn.count("■")
    taken = 1 + sum(cells for _, _, cells in _TITLES) + 11 + (wide + 1 if wide else 0)
    room = max(0, width - taken)
    name = room // 2 if room >= 2 * LEAST_ABOUT else room
    encoders = Counter(encoder.encoder for encoder in row.encoders).items()
    about = ", ".join(f"{number} {encoder}" for encoder, number in encoders)
    about = about or written.plural(len(row.renditions), "rendition")
    return Row(
        [
            (f" {cpu:>6}", "figure"),
            (f" {drawn[:full]}" if wide else "", "in"),
            (drawn[full:], "muted"),
            (f"{size:>7}", "figure"),
            (f"{written.rate(figures.fps):>7}", "figure"),
            (f"{written.speed(figures.speed):>7}", "warn" if slow else "figure"),
            (f"{written.bitrate(figures.bitrate):>8}", "figure"),
            (f"{row.pid:>9}  ", "muted"),
            (fit(row.name, name), "name"),
            (fit(f" {about}", room - name), "muted"),
        ],
        key=str(row.id),
        channel=row.name,
    )
