"""Sends a transport stream as datagrams."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

DATAGRAM = 7 * 188
"""Bytes."""


@contextmanager
def flood(file: Path, port: int, pause_s: float = 0.0) -> Iterator[None]:
    """Sends a file again and again, as fast as it goes or with a pause after each datagram."""
    ended = threading.Event()

    def send() -> None:
        data = file.read_bytes()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            while not ended.is_set():
                for at in range(0, len(data), DATAGRAM):
                    with suppress(ConnectionRefusedError):
                        sender.sendto(data[at : at + DATAGRAM], ("127.0.0.1", port))
                    if ended.wait(pause_s) if pause_s else ended.is_set():
                        return

    thread = threading.Thread(target=send)
    thread.start()
    yield
    ended.set()
    thread.join()
