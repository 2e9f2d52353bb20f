"""``interfaces`` and ``metrics``: the machine under the rack."""

from collections import Counter

from transcoder_tui.cli.exit_codes import ExitCode
from transcoder_tui.cli.figures import bitrate_text, bytes_text, duration_text
from transcoder_tui.cli.output import Cell, Column, say_pairs, say_table, write_json
from transcoder_tui.client.client import WorkerClient
from transcoder_tui.models.job import Status
from transcoder_tui.models.view import Interface, Metrics


async def list_interfaces(client: WorkerClient, *, as_json: bool) -> ExitCode:
    """Prints the network interfaces that channels can use."""
    found = await client.interfaces()
    if as_json:
        write_json([interface.model_dump(mode="json") for interface in found])
    else:
        columns = (
            Column("NAME"), Column("STATE"), Column("MULTICAST"), Column("SPEED", right=True),
            Column("MTU", right=True), Column("ADDRESSES"),
        )  # fmt: skip
        say_table(columns, [_row(interface) for interface in found])
    return ExitCode.OK


async def print_metrics(client: WorkerClient, *, as_json: bool) -> ExitCode:
    """Prints the figures of the machine, the worker and the rack as a whole; as JSON also every channel's."""
    metrics = await client.metrics()
    if as_json:
        write_json(metrics.model_dump(mode="json"))
    else:
        say_pairs(_pairs(metrics))
    return ExitCode.OK


def _row(interface: Interface) -> list[Cell]:
    return [
        Cell(interface.name),
        Cell("up", "good") if interface.up else Cell("down", "bad"),
        Cell("yes" if interface.multicast else "no"),
        Cell(f"{interface.speed_mbps} Mb/s" if interface.speed_mbps else "-"),
        Cell(str(interface.mtu) if interface.mtu else "-"),
        Cell(", ".join(interface.addresses) or "-"),
    ]


def _pairs(metrics: Metrics) -> list[tuple[str, str]]:
    system, worker = metrics.system, metrics.worker
    counts = Counter(view.status for view in metrics.channels)
    rack = ", ".join(f"{counts[status]} {status}" for status in Status if counts[status])
    unwell = sum(view.is_unwell for view in metrics.channels)
    waiting = worker.unsaved_events if worker.database != "ok" else 0
    nics = [
        (
            f"nic {nic.name}",
            f"in {bitrate_text(nic.rx_bps)}  out {bitrate_text(nic.tx_bps)}{'' if nic.up else '  down'}",
        )
        for nic in system.nics
    ]
    return [
        ("host", worker.host),
        ("worker", f"{worker.pid}, version {worker.version}, up {duration_text(worker.uptime_s)}"),
        ("database", f"{worker.database}{f'; {waiting} events wait' if waiting else ''}"),
        ("channels", f"{len(metrics.channels)}{f': {rack}' if rack else ''}{f'; {unwell} unwell' if unwell else ''}"),
        ("cpu", f"{system.cpu_percent:.0f} % of {system.cores} cores, load {system.load:.2f}"),
        ("memory", f"{bytes_text(system.ram_used)} of {bytes_text(system.ram_total)}"),
        ("disk", f"{bytes_text(system.disk_free)} free of {bytes_text(system.disk_total)}"),
        *nics,
    ]
