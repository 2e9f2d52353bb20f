"""Datagrams, taken in while a test does something else."""

import socket
import threading
from collections.abc import Callable


class UdpReceiver:
    """Takes in every datagram that arrives on a socket, until it is closed.

    Args:
        taken: The socket, bound.
        take: Gets each datagram, in a thread of its own.
    """

    def __init__(self, taken: socket.socket, take: Callable[[bytes], object]) -> None:
        self._socket = taken
        self._socket.settimeout(0.1)
        self._take = take
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._receive)
        self._thread.start()

    def close(self) -> None:
        """Ends it, and closes the socket."""
        self._ended.set()
        self._thread.join()
        self._socket.close()

    def _receive(self) -> None:
        while not self._ended.is_set():
            try:
                self._take(self._socket.recv(2048))
            except TimeoutError:
                continue
