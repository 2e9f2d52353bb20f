from contextlib import aclosing

from rack_fixtures import FakeClient, view

from transcoder_tui.console.link import Link, Lost
from transcoder_tui.errors import HostFault


async def test_it_says_once_why_it_fell_silent_and_comes_back_by_itself() -> None:
    client = FakeClient([view(1, "A")])
    link = Link(lambda: client, waits=(0.0,))
    heard: list[str] = []
    async with aclosing(link.follow()) as told:
        async for what in told:
            heard.append(type(what).__name__)
            if heard == ["Snapshot"]:
                client.say()
            elif heard == ["Snapshot", "Delta"]:
                client.vanish()
            elif heard[-1] == "Lost":
                assert isinstance(what, Lost)
                assert what.fault.remedy == "start one with 'transcoder-tui worker start'"
                client.return_()
            elif heard[-1] == "Snapshot":
                break
    assert heard == ["Snapshot", "Delta", "Lost", "Snapshot"]


async def test_a_client_that_cannot_be_made_is_tried_again() -> None:
    attempts: list[int] = []

    def connect() -> FakeClient:
        attempts.append(1)
        if len(attempts) < 3:
            raise HostFault("no run directory", "create it")
        return FakeClient([])

    kinds: list[str] = []
    async with aclosing(Link(connect, waits=(0.0,)).follow()) as told:
        async for what in told:
            kinds.append(type(what).__name__)
            if kinds[-1] == "Snapshot":
                break
    assert kinds == ["Lost", "Lost", "Snapshot"]
