"""Finds the channels that an operator names."""

import difflib
import unicodedata
from collections.abc import Sequence

from transcoder_tui.client.client import WorkerClient
from transcoder_tui.errors import Fault, NoSuchChannel
from transcoder_tui.models.view import JobView

SIMILAR = 0.6
"""Likeness (difflib's ratio) from which a name is suggested; difflib's own default."""


def find(jobs: Sequence[JobView], named: str) -> JobView:
    """The channel that an operator means.

    Args:
        jobs: All channels.
        named: An id, or a name in any case.

    Raises:
        NoSuchChannel: With names that look alike.
    """
    wanted = unicodedata.normalize("NFC", named).strip()
    exact = [job for job in jobs if wanted in (str(job.id), job.channel)]
    found = exact or [job for job in jobs if job.channel.casefold() == wanted.casefold()]
    if len(found) == 1:
        return found[0]
    raise NoSuchChannel([_unknown(jobs, named)])


def find_all(jobs: Sequence[JobView], named: Sequence[str] | None) -> list[JobView]:
    """The channels that an operator means, each once; all of them for None.

    Raises:
        NoSuchChannel: With a fault for each name that is unknown.
    """
    if named is None:
        return list(jobs)
    found: dict[int, JobView] = {}
    faults: list[Fault] = []
    for name in named:
        try:
            job = find(jobs, name)
        except NoSuchChannel as error:
            faults += error.faults
        else:
            found[job.id] = job
    if faults:
        raise NoSuchChannel(faults)
    return list(found.values())


async def find_one(client: WorkerClient, named: str) -> JobView:
    """The channel that an operator means, as the worker knows it."""
    return find(await client.jobs(), named)


def _unknown(jobs: Sequence[JobView], named: str) -> Fault:
    fault = f"no channel has the {'id' if named.isdigit() else 'name'} {named!r}"
    names = {job.channel.casefold(): job.channel for job in jobs}
    near = difflib.get_close_matches(named.casefold(), names, n=3, cutoff=SIMILAR)
    if near:
        return Fault(fault, f"did you mean {' or '.join(names[name] for name in near)}?")
    return Fault(fault, "list them with 'transcoder-tui channels'")
