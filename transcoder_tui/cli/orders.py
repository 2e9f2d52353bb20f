"""``start``, ``stop``, ``restart``, ``acknowledge`` and so on: orders to channels, each with its own result."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence

import typer

from transcoder_tui.cli.exit_codes import ExitCode, code_of_all
from transcoder_tui.cli.naming import find_all, find_one
from transcoder_tui.cli.output import complain, say
from transcoder_tui.client.client import Verb, WorkerClient
from transcoder_tui.errors import InvalidInput, TranscoderError
from transcoder_tui.models.job import Status
from transcoder_tui.models.view import JobView, Order

AT_ONCE = 32
"""Orders under way at a time; a stop may take ten seconds, and the client has 100 connections."""


async def order(client: WorkerClient, verb: Verb, named: Sequence[str] | None) -> ExitCode:
    """Orders the named channels, or all of them, and prints a line for each as it is carried out."""
    jobs = find_all(await client.jobs(), named)
    return code_of_all(await order_each(client, verb, jobs))


async def order_each(client: WorkerClient, verb: Verb, jobs: Sequence[JobView]) -> list[TranscoderError]:
    """Orders channels, prints a line for each, and returns what went wrong."""

    async def one(job: JobView) -> str:
        return _outcome(verb, await client.order(job.id, verb))

    return await _each(jobs, one)


async def acknowledge(client: WorkerClient, named: Sequence[str] | None) -> ExitCode:
    """Says that the alarms of the named channels, or of all, have been seen, and prints a line for each channel."""

    async def one(job: JobView) -> str:
        done = await client.acknowledge(job.id)
        if not done.alarms:
            return "no alarm"
        names = ", ".join(alarm.health for alarm in done.alarms)
        return f"{'acknowledged' if done.changed else 'already acknowledged'}: {names}"

    return code_of_all(await _each(find_all(await client.jobs(), named), one))


async def switch(client: WorkerClient, named: str, number: int) -> ExitCode:
    """Changes a channel to another of its sources, counted from 1, and prints a line about it.

    Raises:
        InvalidInput: Where it has no such source; says which it has.
    """
    job = await find_one(client, named)
    sources = (await client.channel(job.id)).parsed().sources
    if not 1 <= number <= len(sources):
        listed = ", ".join(f"{count} {source.words}" for count, source in enumerate(sources, 1))
        raise InvalidInput(f"{job.channel} has no source {number}", f"choose one of: {listed}", "source")
    order = await client.switch(job.id, number - 1)
    target = f"source {number} of {len(sources)}, {sources[number - 1].words}"
    say(f"{job.channel}  {f'changes to {target}; now {order.job.status}' if order.changed else f'already on {target}'}")
    return ExitCode.OK


async def delete_channels(client: WorkerClient, named: Sequence[str] | None, *, yes: bool) -> ExitCode:
    """Deletes channels, and asks before it where one of them is on air."""
    jobs = find_all(await client.jobs(), named)
    if not yes and not _may_delete(jobs, every=named is None):
        complain("Nothing was deleted.")
        return ExitCode.FAILED

    async def one(job: JobView) -> str:
        await client.delete(job.id)
        return "deleted"

    return code_of_all(await _each(jobs, one))


async def _each(jobs: Sequence[JobView], work: Callable[[JobView], Awaitable[str]]) -> list[TranscoderError]:
    gate = asyncio.Semaphore(AT_ONCE)
    width = max((len(job.channel) for job in jobs), default=0)

    async def one(job: JobView) -> TranscoderError | None:
        async with gate:
            try:
                say(f"{job.channel:<{width}}  {await work(job)}")
            except TranscoderError as error:
                for fault in error.faults:
                    complain(f"{job.channel:<{width}}  failed: {fault}")
                return error
        return None

    failed: list[TranscoderError] = []
    for result in await asyncio.gather(*map(one, jobs), return_exceptions=True):
        if isinstance(result, TranscoderError):
            failed.append(result)
        elif result is not None:
            raise result  # such as a closed pipe, which must not keep the other orders from being given
    return failed


def _outcome(verb: Verb, order: Order) -> str:
    status = order.job.status
    if not order.changed:
        return f"already {status}"
    if verb == "stop" and status is Status.STOPPED:
        return "stopped"
    return f"{verb} ordered, now {status}"


def _may_delete(jobs: Sequence[JobView], *, every: bool) -> bool:
    on_air = [job.channel for job in jobs if job.status.is_live]
    if not on_air and not every:
        return True
    if not sys.stdin.isatty():
        raise typer.BadParameter("add --yes, as nobody can be asked here", param_hint="--yes")
    what = f"{len(jobs)} channels" if len(jobs) != 1 else jobs[0].channel
    if on_air:
        complain(f"On air: {', '.join(on_air)}")
    return typer.confirm(f"Delete {what}?", default=False, err=True)
