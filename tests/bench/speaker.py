"""Speaks as a worker does, as fast as it is listened to: ``python speaker.py SOCKET CHANNELS MESSAGES``."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta

from transcoder_tui.models.job import Status, Wanted
from transcoder_tui.models.view import ChannelView, Delta, Nic, Snapshot, SystemSample, Telemetry, WorkerView
from transcoder_tui.worker.feed import lines

BEGUN = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
ROUNDS = 8
"""Different messages; to write thousands of them out would take the time in which they should be read."""


def rows(count: int, second: int) -> list[ChannelView]:
    """Every channel, with other figures each second."""
    return [
        ChannelView(
            id=number,
            revision=1,
            name=f"Channel {number:04d}",
            source=f"udp://239.1.{number // 250}.{number % 250}:5000",
            renditions=["1080p 1920x1080 25 fps 5000k", "720p 1280x720 25 fps 2500k"],
            outputs=[f"udp://239.2.{number // 250}.{number % 250}:5000", f"hls://channel-{number}"],
            wanted=Wanted.RUNNING,
            status=Status.RUNNING,
            on_air_since=BEGUN,
            pid=1000 + number,
            telemetry=Telemetry(
                fps=25 + second % 3 / 10,
                speed=1.0,
                bitrate=6.5e6 + 1e4 * (second * 7 + number) % 9e5,
                drops=second + number,
                cpu_percent=float(second % 10),
                rss_bytes=200_000_000 + second,
                media_s=float(second),
            ),
        )
        for number in range(1, count + 1)
    ]


def system(second: int) -> SystemSample:
    """The machine."""
    nics = [Nic(name=f"eth{port}", up=True, rx_bps=4e7 + second * 1e5, tx_bps=6e7) for port in (0, 1)]
    return SystemSample(
        at=BEGUN + timedelta(seconds=second),
        cpu_percent=40.0 + second % 9,
        cores=8,
        load=2.4,
        ram_used=6 << 30,
        ram_total=16 << 30,
        disk_free=200 << 30,
        disk_total=400 << 30,
        nics=nics,
    )


async def main() -> None:
    """Serves one console until it has taken everything."""
    socket, count, messages = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    worker = WorkerView(
        pid=1,
        keeper_pid=2,
        socket=socket,
        version="0",
        uptime_s=1.0,
        host="bench",
        ffmpeg="/usr/bin/ffmpeg",
        ffmpeg_version="0",
        data_dir="/",
    )
    first = Snapshot(
        at=BEGUN, worker=worker, channels=rows(count, 0), history=[system(at) for at in range(300)], events=[]
    )
    deltas = [
        lines(
            Delta(
                at=BEGUN + timedelta(seconds=at),
                worker=worker,
                figures={row.id: row.telemetry for row in rows(count, at)},
                removed=[],
                system=system(at),
                events=[],
            )
        )
        for at in range(ROUNDS)
    ]
    done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        if b"/stream" not in request.partition(b"\r\n")[0]:
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
            await writer.drain()
            writer.close()
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\n\r\n")
        writer.write(lines(first))
        for number in range(messages):
            writer.write(deltas[number % ROUNDS])
            await writer.drain()
        # What is still on its way is to be taken, and garbage to be collected.
        await asyncio.sleep(3.0)
        done.set()

    async with await asyncio.start_unix_server(serve, socket, limit=1 << 20):
        await done.wait()


if __name__ == "__main__":
    asyncio.run(main())
