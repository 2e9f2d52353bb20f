"""An RTSP server that plays a transport stream in RTP (payload type 33), over TCP or UDP (RFC 2326)."""

import socket
import threading
import time
from pathlib import Path

CHUNK = 7 * 188


class RtspPeer:
    """Serves one file at a rate to one client after the other.

    Args:
        file: The transport stream; at its end nothing more comes.
        bps: Bits per second.
    """

    def __init__(self, file: Path, bps: float) -> None:
        self.transports: list[str] = []
        """What the clients asked for."""
        self._media = file.read_bytes()
        self._pause_s = CHUNK * 8 / bps
        self._ended = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(0.1)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self._server.getsockname()[1]}/live"

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self._server.close()

    def _serve(self) -> None:
        while not self._ended.is_set():
            try:
                client, _ = self._server.accept()
            except TimeoutError:
                continue
            with client:
                client.settimeout(0.1)
                try:
                    self._talk(client)
                except OSError:
                    continue

    def _talk(self, client: socket.socket) -> None:
        buffer, port = b"", 0
        while not self._ended.is_set():
            try:
                said = client.recv(4096)
            except TimeoutError:
                continue
            if not said:
                return
            buffer += said
            while b"\r\n\r\n" in buffer:
                request, _, buffer = buffer.partition(b"\r\n\r\n")
                verb, fields = _read(request.decode())
                answer, body = [f"CSeq: {fields['cseq']}", "Session: 1"], ""
                if verb == "DESCRIBE":
                    body = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 33\r\na=control:t\r\n"
                    answer += ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
                elif verb == "SETUP":
                    transport = fields["transport"]
                    self.transports.append(transport)
                    if "interleaved" not in transport:
                        port = int(transport.partition("client_port=")[2].partition("-")[0])
                        transport += ";server_port=9-10"
                    answer.append(f"Transport: {transport}")
                client.sendall(("\r\n".join(["RTSP/1.0 200 OK", *answer]) + "\r\n\r\n" + body).encode())
                if verb == "PLAY":
                    self._play(client, port)
                    return

    def _play(self, client: socket.socket, port: int) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            for number in range(len(self._media) // CHUNK):
                if self._ended.wait(self._pause_s):
                    return
                at = number * CHUNK
                stamp = int(time.monotonic() * 90_000) & 0xFFFFFFFF
                packet = bytes([0x80, 33]) + number.to_bytes(2, "big") + stamp.to_bytes(4, "big") + bytes(4)
                packet += self._media[at : at + CHUNK]
                if port:
                    datagrams.sendto(packet, ("127.0.0.1", port))
                else:
                    client.sendall(b"$\x00" + len(packet).to_bytes(2, "big") + packet)


def _read(request: str) -> tuple[str, dict[str, str]]:
    first, *lines = request.split("\r\n")
    fields = (line.partition(":") for line in lines)
    return first.split(" ")[0], {name.strip().lower(): value.strip() for name, _, value in fields}
