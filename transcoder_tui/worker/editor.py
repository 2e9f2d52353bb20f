"""Changes the channels: one at a time, or a whole line-up, all or nothing."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

from transcoder_tui.errors import Conflict, Fault, HostFault, InvalidInput, NoSuchChannel
from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.command import HostFacts
from transcoder_tui.models.capacity import Cost, together
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.claims import ports
from transcoder_tui.models.event import EventFields, EventKind
from transcoder_tui.models.job import Wanted
from transcoder_tui.models.lineup import Applied, Change, ChangeKind, LineUp
from transcoder_tui.models.undo import PastChange, Undone, UndoView
from transcoder_tui.models.view import ChannelDocument
from transcoder_tui.store.store import Edit, Step, StoredChange, StoredChannel
from transcoder_tui.worker import admission, changes, readiness, undo, views
from transcoder_tui.worker.budget import Budget
from transcoder_tui.worker.context import Context
from transcoder_tui.worker.run import ChannelRun

STOP_TIMEOUT_S = 12.0
"""Longest wait for a channel that was told to stop: KILL comes after 5 s, and the kernel may take its time."""
TESTING_S = 10.0
"""Longest wait for the tests of encoders when channels are saved; what is left over is tested when it starts."""
STEP = 20
"""Channels that are handled in one go before whoever else waits for the event loop has a turn."""


class Editor:
    """Carries changes out, one after the other.

    Args:
        runs: Every channel's run by its id; channels that are created and deleted come and go here.
        context: The worker.
    """

    def __init__(self, runs: dict[int, ChannelRun], context: Context) -> None:
        self._runs = runs
        self._context = context
        self._editing = asyncio.Lock()

    async def create(self, spec: ChannelSpec, actor: str) -> ChannelDocument:
        """Stores a new channel; it starts if its autostart is set.

        Raises:
            InvalidInput: Where the host cannot run it, or another channel has its name or a destination of it.
        """
        async with self._editing:
            warnings = await self._admit(spec, None)
            edit = Edit(channel_id=None, spec=spec, job=changes.created_job(spec))
            stored = await self._commit([edit], [_config_event(spec.name, "created", actor)], actor)
        return views.document(self._taken(stored[0])).model_copy(update={"warnings": warnings})

    async def change(self, channel_id: int, spec: ChannelSpec, revision: int | None, actor: str) -> ChannelDocument:
        """Replaces a channel's document; one that is on air is restarted where the change reaches FFmpeg.

        Raises:
            NoSuchChannel: Where there is none with this id.
            Conflict: Where it is no longer at ``revision``.
            InvalidInput: As for :meth:`create`.
        """
        async with self._editing:
            run = self._run(channel_id)
            warnings = await self._admit(spec, channel_id)
            fields = changes.changed_fields(run.spec.document(), spec.document())
            event = _config_event(spec.name, f"changed: {', '.join(fields) or 'nothing'}", actor, channel_id)
            await self._commit([Edit(channel_id=channel_id, spec=spec, revision=revision)], [event], actor)
        return views.document(self._run(channel_id)).model_copy(update={"warnings": warnings})

    async def delete(self, channel_id: int, actor: str) -> None:
        """Forgets a channel and stops it.

        Raises:
            NoSuchChannel: Where there is none with this id.
        """
        async with self._editing:
            run = self._run(channel_id)
            event = _config_event(run.spec.name, "deleted", actor, channel_id)
            await self._commit([Edit(channel_id=channel_id, spec=None)], [event], actor)

    async def apply(self, lineup: LineUp, *, dry_run: bool, prune: bool, actor: str) -> Applied:
        """Makes the stored channels match a line-up, all or nothing; channels that did not change are not touched.

        Raises:
            InvalidInput: With the fields as seen from the line-up.
        """
        async with self._editing:
            existing = {run.id: run.spec for run in self._runs.values()}
            planned = changes.plan(existing, lineup.channels, prune=prune)
            warnings = await self._admit_all(lineup.channels, [entry.edit for entry in planned])
            shown = [self._with_effect(entry) for entry in planned]
            todo = [(entry.change, entry.edit) for entry in planned if entry.edit is not None]
            if not dry_run and todo:
                events = [_planned_event(change, edit, actor) for change, edit in todo]
                await self._commit([edit for _, edit in todo], events, actor)
            applied = await self._with_cost(shown, planned) if dry_run else Applied(dry_run=False, changes=shown)
            return applied.model_copy(update={"warnings": warnings})

    async def undoable(self) -> UndoView | None:
        """The last change that can be undone."""
        change = await self._context.store.last_change()
        if change is None:
            return None
        past = [past async for past, _ in self._taken_back(change)]
        return UndoView(event=change.event, at=change.at, actor=change.actor, changes=past)

    async def undo(self, event: int, actor: str) -> Undone:
        """Undoes the last change.

        Args:
            event: The change, as :meth:`undoable` named it.
            actor: Who does it.

        Raises:
            Conflict: Where another change is the last one by now.
            InvalidInput: As for :meth:`create`: the host may have changed since.
        """
        async with self._editing:
            change = await self._context.store.last_change()
            if change is None or change.event != event:
                raise Conflict("the channels were changed again since", "look at what the last change is by now")
            steps = [(past, undo.way_back(step)) async for past, step in self._taken_back(change)]
            # What comes back stands first, as its place in the faults is that in the list.
            steps.sort(key=lambda step: step[1].spec is None)
            edits = [edit for _, edit in steps]
            warnings = await self._admit_all([edit.spec for edit in edits if edit.spec is not None], edits)
            await self._commit(edits, [undo.event(past, actor) for past, _ in steps], actor)
            return Undone(changes=[past for past, _ in steps], warnings=warnings)

    async def _taken_back(self, change: StoredChange) -> AsyncIterator[tuple[PastChange, Step]]:
        for number, step in enumerate(change.steps):
            if number % STEP == STEP - 1:
                await asyncio.sleep(0)
            yield undo.past_change(step, self._runs.get(step.channel_id)), step

    async def _commit(
        self, edits: Sequence[Edit], events: Sequence[EventFields], actor: str
    ) -> list[StoredChannel | None]:
        before = {run.id: run.spec for run in self._runs.values()}
        stored, written = await self._context.store.edit(edits, events, actor)
        self._context.announce(written)
        for edit, channel in zip(edits, stored, strict=True):
            if channel is not None and edit.channel_id in before:
                self._runs[channel.id].update(channel)
        # Off air first, since another channel of these edits may take over a destination.
        await self._drop([edit.channel_id for edit in edits if edit.channel_id is not None and edit.spec is None])
        there = [channel for channel in stored if channel is not None]
        for number, channel in enumerate(sorted(there, key=lambda channel: -channel.spec.priority)):
            if number % STEP == STEP - 1:
                await asyncio.sleep(0)
            if channel.id not in before:
                run = self._runs[channel.id] = ChannelRun(channel, self._context)
                run.remember()
                run.act()
            elif before[channel.id].on_air_part() != channel.spec.on_air_part():
                self._runs[channel.id].take_up_change()
        return stored

    async def _drop(self, channel_ids: Sequence[int]) -> None:
        runs = [self._runs[channel_id] for channel_id in channel_ids]
        for run in runs:
            run.abandon()
        await asyncio.gather(*(run.stopped(STOP_TIMEOUT_S) for run in runs))
        for run in runs:
            run.clean_up()
            del self._runs[run.id]

    async def _admit(self, spec: ChannelSpec, channel_id: int | None) -> list[Fault]:
        host = readiness.assumed(self._context.host(), [spec])
        staying = [run.spec for run in self._runs.values() if run.id != channel_id]
        found = admission.clashes([spec], staying, host) or admission.faults(spec, self._usable_binary(), host)
        if found:
            raise InvalidInput(
                [Fault(fault.fault, fault.remedy, fault.field.removeprefix("channels[0].")) for fault in found]
            )
        return await self._look([("", spec)], host)

    async def _admit_all(self, channels: Sequence[ChannelSpec], edits: Sequence[Edit | None]) -> list[Fault]:
        """Looks at channels that are to be there together.

        Args:
            channels: As they are to be.
            edits: What is done for each of them, None where nothing is; behind these, what is deleted.
        """
        binary, host = self._usable_binary(), readiness.assumed(self._context.host(), channels)
        touched = {edit.channel_id for edit in edits if edit is not None}
        named = {spec.name.casefold() for spec in channels}
        present = [run.spec for run in self._runs.values() if run.id not in touched]
        staying = [spec for spec in present if spec.name.casefold() not in named]
        found = admission.clashes(channels, staying, host)
        for index, (spec, edit) in enumerate(zip(channels, edits, strict=False)):
            if index % STEP == STEP - 1:
                await asyncio.sleep(0)
            if edit is not None:
                found += [fault.within(f"channels[{index}]") for fault in admission.faults(spec, binary, host)]
        if found:
            raise InvalidInput(found)
        pairs = enumerate(zip(channels, edits, strict=False))
        return await self._look([(f"channels[{at}]", spec) for at, (spec, edit) in pairs if edit], host)

    async def _look(self, channels: Sequence[readiness.Placed], host: HostFacts) -> list[Fault]:
        """Tests what channels encode, and looks at what they need of this host.

        Returns:
            What may keep them off the air, and can heal.

        Raises:
            InvalidInput: With what cannot.
        """
        live = [run.spec for run in self._runs.values() if run.process is not None]
        held = {(port.protocol, port.number) for spec in live for port in ports(spec.sources, spec.outputs)}
        found = await readiness.look(channels, self._context.host(), self._context.disk, held)
        binary = self._usable_binary()
        if binary is not None and not found.refusals:
            specs = [spec for _, spec in channels]
            tested = await self._context.preflights.faults(specs, binary, host, TESTING_S)
            for (place, _), faults in zip(channels, tested, strict=True):
                found.refusals.extend(fault.within(place) for fault in faults)
        if found.refusals:
            raise InvalidInput(found.refusals)
        return found.warnings

    def _usable_binary(self) -> Binary | None:
        try:
            return self._context.binary()
        except HostFault:
            return None

    def _with_effect(self, entry: changes.Planned) -> Change:
        channel_id = entry.edit.channel_id if entry.edit else None
        run = self._runs.get(channel_id) if channel_id is not None else None
        live = run is not None and run.job.wanted == Wanted.RUNNING
        return entry.change.model_copy(update={"on_air": live, "restarts": entry.change.restarts and live})

    def cost(self, spec: ChannelSpec, channel_id: int | None) -> Cost:
        """What a channel will cost, in the place of the stored one with this id or as a new one."""
        return Budget(self._runs, self._context, () if channel_id is None else (channel_id,)).cost(spec)

    async def _with_cost(self, shown: Sequence[Change], planned: Sequence[changes.Planned]) -> Applied:
        edits = [entry.edit for entry in planned]
        touched = {edit.channel_id for edit in edits if edit is not None and edit.channel_id is not None}
        budget = Budget(self._runs, self._context, touched)
        priced: list[Change] = []
        for index, (change, edit) in enumerate(zip(shown, edits, strict=True)):
            if index % STEP == STEP - 1:
                await asyncio.sleep(0)
            cost = budget.cost(edit.spec) if edit is not None and edit.spec is not None else None
            priced.append(change.model_copy(update={"cost": cost}))
        costs = [change.cost for change in priced if change.cost is not None]
        return Applied(dry_run=True, changes=priced, cost=together(costs, budget.cores, budget.left))

    def _taken(self, stored: StoredChannel | None) -> ChannelRun:
        assert stored is not None, "a created channel is stored"
        return self._runs[stored.id]

    def _run(self, channel_id: int) -> ChannelRun:
        return find_run(self._runs, channel_id)


def find_run(runs: dict[int, ChannelRun], channel_id: int) -> ChannelRun:
    """The run of a channel.

    Raises:
        NoSuchChannel: Where there is none with this id.
    """
    run = runs.get(channel_id)
    if run is None or run.deleted:
        raise NoSuchChannel(f"there is no channel {channel_id}", "'transcoder-tui channels' lists them")
    return run


def _planned_event(change: Change, edit: Edit, actor: str) -> EventFields:
    words = {ChangeKind.CREATE: "created", ChangeKind.DELETE: "deleted"}
    message = words.get(change.kind, f"changed: {', '.join(change.fields)}")
    return _config_event(change.channel, f"{message} by a line-up", actor, edit.channel_id)


def _config_event(name: str, message: str, actor: str, channel_id: int | None = None) -> EventFields:
    return EventFields(
        at=datetime.now(UTC),
        kind=EventKind.CONFIG,
        channel_id=channel_id,
        channel=name,
        message=message,
        actor=actor,
    )
