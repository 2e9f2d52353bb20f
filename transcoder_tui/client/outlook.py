"""What comes next for a channel that is not on air as ordered, in the words of console and command line."""

from datetime import datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transcoder_tui.models.view import ChannelView


def outlook(row: "ChannelView", now: datetime | None) -> str:
    """What the worker did last and does next about a channel that failed; empty where nothing is to be said.

    ``next retry in 12 s (3 of 5)``, ``given up after 5 attempts; tried again in 58 s``, ``waits for its turn``.

    Args:
        row: The channel.
        now: The worker's clock; None where it is not known yet.
    """
    coming = next_step(row, now)
    if row.status != "error":
        return coming
    return f"{_given_up(row)}; {coming or 'not tried again by itself'}"


def next_step(row: "ChannelView", now: datetime | None) -> str:
    """The same in few words: only what comes next, for places that show the status beside it."""
    if row.status == "retrying":
        wait = _wait(row, now)
        return wait and f"next retry {wait} ({row.attempt} of {row.max_attempts})"
    if row.status == "error":
        wait = _wait(row, now)
        return wait and f"tried again {wait}"
    # Before its first attempt the message of the worker says so.
    return "waits for its turn" if row.status == "queued" and row.attempt else ""


def _given_up(row: "ChannelView") -> str:
    if not row.attempt or row.attempt < row.max_attempts:
        return "given up"  # for a cause that another attempt does not heal
    return f"given up after {row.attempt} attempt{'' if row.attempt == 1 else 's'}"


def _wait(row: "ChannelView", now: datetime | None) -> str:
    if row.next_retry_at is None or now is None:
        return ""
    seconds = max(0, ceil((row.next_retry_at - now) / timedelta(seconds=1)))
    minutes, rest = divmod(seconds, 60)
    return f"in {minutes} min {rest:02} s" if minutes else f"in {seconds} s" if seconds else "now"
