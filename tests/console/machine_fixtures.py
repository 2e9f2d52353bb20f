"""What the invented machine of these tests does, and what happened on it."""

from datetime import timedelta
from typing import Any

from rack_fixtures import NOW, FakeClient, line_up, unwell, view

from transcoder_tui.models.event import Event, EventKind, Severity
from transcoder_tui.models.health import Health
from transcoder_tui.models.machine import DiskUse, Machine, Memory, MulticastGroup, NicUse
from transcoder_tui.models.view import ChannelView, PictureEncoder, Telemetry

GB = 1 << 30


def event(number: int, message: str = "", kind: EventKind = EventKind.STATE, **changes: Any) -> Event:
    """Events a minute apart; number 1000 is now."""
    values = {
        "id": number,
        "at": NOW - timedelta(minutes=1000 - number),
        "kind": kind,
        "channel_id": 1,
        "channel": "News HD",
        "message": message or f"running: event {number}",
        "actor": "worker",
    }
    return Event(**{**values, **changes})


def happened(first: int = 601) -> list[Event]:
    """Everything that an operator reads of in a day, in a rack that ran through the night."""
    kids = {"channel_id": 3, "channel": "Kids"}
    told = {
        986: event(986, "worker 0.1.0 started, 5 channels adopted", EventKind.WORKER, channel_id=None, channel=""),
        988: event(988, "changed: outputs[0].muxrate", EventKind.CONFIG, actor="marc"),
        989: event(989, "restart ordered", EventKind.ORDER, actor="marc"),
        991: event(991, "created by a line-up", EventKind.CONFIG, actor="anna", channel_id=5, channel="Weather"),
        992: event(
            992,
            "too slow: encodes at 0.94 of real time for 30 s",
            EventKind.RAISED,
            severity=Severity.WARNING,
            health=Health.TOO_SLOW,
            channel_id=2,
            channel="Sport ABR",
        ),
        994: event(
            994,
            "input lost: nothing has arrived from srt://198.51.100.20:9000 for 5 s",
            EventKind.RAISED,
            severity=Severity.ERROR,
            health=Health.INPUT_LOST,
            **kids,
        ),
        995: event(
            995, "input lost: acknowledged", EventKind.ACKNOWLEDGED, health=Health.INPUT_LOST, actor="anna", **kids
        ),
        996: event(
            996,
            "retrying: no data from srt://198.51.100.20:9000 for 15 s",
            severity=Severity.WARNING,
            log="\n".join(
                [
                    "2026-11-22T14:10:58.120Z INFO    [srt @ 0x55d] Connection to srt://198.51.100.20:9000 established",
                    "2026-11-22T14:11:14.004Z ERROR   [srt @ 0x55d] Connection was broken, timeout 15 s",
                    "2026-11-22T14:11:14.007Z FATAL   Error opening input: Input/output error",
                ]
            ),
            **kids,
        ),
        998: event(
            998,
            "error: file loops/parliament.ts is not there",
            severity=Severity.ERROR,
            channel_id=4,
            channel="Parliament",
        ),
        999: event(
            999,
            "too slow: cleared after 412 s",
            EventKind.CLEARED,
            health=Health.TOO_SLOW,
            channel_id=2,
            channel="Sport ABR",
        ),
        1000: event(1000, "undone: changed: outputs[0].muxrate", EventKind.UNDONE, actor="marc"),
    }
    return [told.get(number) or event(number) for number in range(first, 1001)]


def group(number: int, **changes: Any) -> MulticastGroup:
    return MulticastGroup(**{"address": f"239.1.{number // 250}.{number % 250}", "users": 1, **changes})


def machine(cores: int = 8, foreign: int = 0) -> Machine:
    """A machine at work.

    Args:
        cores: How many, the last of them full.
        foreign: Groups that somebody else's programs have joined.
    """
    return Machine(
        at=NOW,
        cores=[*((number * 37 % 83) + 3.0 for number in range(cores - 1)), 99.0],
        load=(2.41, 2.12, 1.97),
        memory=Memory(total=16 * GB, used=int(6.2 * GB), available=int(9.3 * GB), swap_total=2 * GB, swap_used=GB // 4),
        disks=[
            DiskUse(
                mount="/",
                device="/dev/nvme0n1p2",
                holds=["database", "logs", "run directory"],
                total=468 * GB,
                free=212 * GB,
                read_bps=120_000,
                write_bps=3_400_000,
            ),
            DiskUse(mount="/srv/hls", device="tmpfs", holds=["HLS"], total=8 * GB, free=GB // 2),
            DiskUse(mount="/media", device="nas:/media", holds=["media"], answers=False),
        ],
        nics=[
            NicUse(name="lo", up=True, mtu=65536, addresses=["127.0.0.1"], rx_bps=1.2e6, tx_bps=1.2e6, rx_pps=140,
                   tx_pps=140, rx_drops=0, tx_drops=0, rx_errors=0, tx_errors=0, rx_drops_per_min=0,
                   tx_drops_per_min=0, rx_errors_per_min=0, tx_errors_per_min=0),
            NicUse(name="eth1", up=True, speed_mbps=1000, mtu=1500, addresses=["10.0.1.7"], rx_bps=43.1e6, tx_bps=92e3,
                   rx_pps=4100, tx_pps=12, rx_drops=1204, tx_drops=0, rx_errors=0, tx_errors=0, rx_drops_per_min=12,
                   tx_drops_per_min=0, rx_errors_per_min=0, tx_errors_per_min=0,
                   groups=[
                       group(1, readers=["News HD"], users=2),
                       group(2, readers=["Sport ABR"], users=0),
                       *(group(number) for number in range(10, 10 + foreign)),
                   ]),
            NicUse(name="eth2", up=True, speed_mbps=10000, mtu=9000, addresses=["10.0.2.7", "fe80::1"], rx_bps=31e3,
                   tx_bps=65.2e6, rx_pps=9, tx_pps=6200, rx_drops=0, tx_drops=0, rx_errors=0, tx_errors=0,
                   groups=[
                       MulticastGroup(address="239.2.1.1", senders=["News HD"]),
                       MulticastGroup(address="239.2.1.2", senders=["Sport ABR"], users=1),
                   ]),
            NicUse(name="ifb0", up=False, mtu=1500, rx_bps=0, tx_bps=0, rx_pps=0, tx_pps=0, rx_drops=0, tx_drops=0,
                   rx_errors=0, tx_errors=0),
        ],
    )  # fmt: skip


def at_work(count: int = 14) -> list[ChannelView]:
    """Channels with FFmpegs that cost different things."""
    rows = line_up()
    rows[0].encoders = [PictureEncoder(rendition="1080p", encoder="libx264")]
    for number in range(6, 6 + count):
        rows.append(
            view(
                number,
                f"Regional {number}",
                encoders=[PictureEncoder(rendition="1080p", encoder="h264_nvenc" if number % 3 else "libx265")],
                telemetry=Telemetry(
                    fps=25.0,
                    speed=1.0,
                    bitrate=4_000_000 + 37_000 * number,
                    cpu_percent=30.0 + number * 53 % 190,
                    rss_bytes=150_000_000 + 7_000_000 * number,
                ),
            )
        )
    return rows


def seasoned() -> FakeClient:
    """A worker that has run through the night, with alarms of which some have been seen."""
    rows = line_up()
    rows[1] = unwell(2, "Sport ABR", Health.TOO_SLOW, telemetry=rows[1].telemetry, group="Sport")
    rows[2] = rows[2].model_copy(
        update={"health": Health.INPUT_LOST, "alarms": unwell(3, "Kids", Health.INPUT_LOST).alarms}
    )
    client = FakeClient(rows)
    client.happened = happened()
    return client
