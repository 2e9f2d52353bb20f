"""What the kernel tells of a process that does nothing."""

import os
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from transcoder_tui.host import signs
from transcoder_tui.host.signs import look
from transcoder_tui.host.udp import sockets_of

LINE = "{pid} ({name}) {state} " + " ".join(["0"] * 49)


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with closing(socket.create_server(("127.0.0.1", 0), backlog=0)) as listener:
        yield listener


def test_bytes_that_a_connected_peer_does_not_take_are_unsent(server: socket.socket) -> None:
    with socket.create_connection(server.getsockname()) as sender, server.accept()[0]:
        sender.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                sender.send(b"x" * 65536)

        seen = look(os.getpid())

    assert seen is not None
    assert seen.unsent > 16_384


def test_a_connection_that_nobody_answers_holds_nothing_unsent(server: socket.socket) -> None:
    sockets = [socket.socket() for _ in range(4)]
    for one in sockets:
        one.setblocking(False)
        with suppress(BlockingIOError):
            one.connect(server.getsockname())
    states = [fields[3] for fields in signs._table(os.getpid(), "tcp", sockets_of(os.getpid()))]

    seen = look(os.getpid())

    for one in sockets:
        one.close()
    assert "02" in states, "a SYN is on its way, since nobody accepts"
    assert seen is not None
    assert seen.unsent == 0


@pytest.mark.parametrize(
    ("main", "others", "state"),
    [("S", "SS", "S"), ("S", "SD", "D"), ("D", "S", "D"), ("T", "TD", "T"), ("t", "D", "t")],
)
def test_a_thread_that_hangs_in_the_kernel_makes_the_process_hang(
    main: str, others: str, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, letter in enumerate(main + others):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "stat").write_text(LINE.format(pid=number, name="mux) D (0", state=letter))
    (tmp_path / "99").mkdir()
    monkeypatch.setattr(signs, "Path", lambda text: tmp_path if text.endswith("/task") else Path(text))
    stat = signs.parse_stat((tmp_path / "0" / "stat").read_bytes())
    monkeypatch.setattr(signs, "read_stat", lambda pid: stat)

    seen = look(os.getpid())

    assert seen is not None
    assert seen.state == state
