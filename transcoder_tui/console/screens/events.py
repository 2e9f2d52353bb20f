"""What happened, and who did what."""

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Static

from transcoder_tui.console import format as written
from transcoder_tui.console.actions import bindings_for
from transcoder_tui.console.event_history import MOST, EventHistory
from transcoder_tui.console.event_line import CHOICES, Choice, contains
from transcoder_tui.console.screens.view import View
from transcoder_tui.console.state import Change, Rack
from transcoder_tui.console.widgets.choice_bar import ChoiceBar
from transcoder_tui.console.widgets.event_details import EventDetails
from transcoder_tui.console.widgets.event_list import EventList
from transcoder_tui.console.widgets.search_field import SearchField
from transcoder_tui.errors import TranscoderError

SEARCHED_PAGES = 10
"""Older pages that are looked through by themselves, as long as what was found does not fill the screen."""


class EventsScreen(View):
    """Alarms, states, orders and changes, the latest at the end."""

    CSS_PATH = "events.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("events"), *bindings_for("moving")]
    VIEW = "events"
    AUTO_FOCUS = "#events"

    def __init__(self, rack: Rack, *, read_only: bool) -> None:
        super().__init__(rack, read_only=read_only)
        self._choice: Choice = "all"
        self._history = EventHistory()
        self._text = ""
        self._advice = ""
        self._fault = ""
        self._loading = False
        self._pages = 0
        """Older pages that were looked through for what is searched."""

    def body(self) -> ComposeResult:
        """From top to bottom."""
        yield ChoiceBar("Events", CHOICES, id="choices")
        yield EventList(id="events")
        yield Static(markup=False, id="nothing")
        yield EventDetails(id="details")

    def on_mount(self) -> None:
        """Begins with what the worker has told so far."""
        self._history.take(self.rack.events)
        self._show()

    # What the worker says

    def show_change(self, change: Change) -> None:
        """Adds what happened since."""
        super().show_change(change)
        listed = self.query_one(EventList)
        returned = bool(self._advice)
        self._advice = ""
        listed.stale = False
        if self._history.take(self.rack.events) or returned:
            if listed.following:
                self._history.trim()
            self._show()

    def show_lost(self, words: str, advice: str) -> None:
        """Greys what is known."""
        super().show_lost(words, advice)
        self.query_one(EventList).stale = True
        if advice != self._advice:
            self._advice = advice
            self._show()

    # What is shown

    def _show(self) -> None:
        """Draws what the choice and the search let through."""
        needle = self._text.casefold().strip()
        shown = [event for event in self._history.events if not needle or contains(event, needle)]
        self.query_one(EventList).show(shown)
        self._show_state()

    @on(EventList.Moved)
    def _show_state(self) -> None:
        """What depends on the cursor and on how far back the list goes."""
        listed = self.query_one(EventList)
        whole = self.has_class("-whole")
        self.query_one(ChoiceBar).show(self._choice, self._note(listed))
        nothing = self.query_one("#nothing", Static)
        nothing.display = not listed.events
        if nothing.display:
            nothing.update(self._empty_words())
        listed.display = bool(listed.events) and not whole
        details = self.query_one(EventDetails)
        details.display = listed.current is not None and (whole or not self.has_class("-bare"))
        details.show(listed.current)
        if listed.at_top:
            self._load_older()

    def _note(self, listed: EventList) -> str:
        known = len(self._history.events)
        number = f"{'all ' if self._history.complete else ''}{written.plural(known, 'event')}"
        if self._text:
            number = f"{self._text!r}: {len(listed.events)} of {number}"
        if self._loading:
            reach = ", loading older ones …"
        elif self._fault:
            reach = f", older ones: {self._fault}"
        else:
            reach = f", no more than {MOST} are held" if self._history.is_full else ""
        if self._advice:
            return f"{number}, as last known"
        more = f"{listed.unseen} new, " if listed.unseen else ""
        state = "● following" if listed.following else f"○ stays: {more}f follows"
        return f"{number}{reach}  {state}" if self._text else f"{state}  {number}{reach}"

    def _empty_words(self) -> Content:
        if self._loading:
            return Content("Loading events …")
        if self._text:
            return Content.assemble(
                (f"No event contains {self._text!r}", "bold"),
                f"\n\n{written.plural(len(self._history.events), 'event')} looked through; esc clears the search.",
            )
        if self._advice:
            return Content.assemble(("The worker does not answer", "bold"), f"\n\n{self._advice}")
        if self.rack.worker is None:
            return Content("Connecting to the worker …")
        if self._fault:
            return Content.assemble(("The events could not be loaded", "bold"), f"\n\n{self._fault}")
        if self._choice != "all":
            return Content.assemble((f"Nothing among {self._choice} yet", "bold"), "\n\nesc shows all events.")
        return Content.assemble(("Nothing has happened yet", "bold"), "\n\nAlarms, orders and changes will stand here.")

    def _load_older(self) -> None:
        """Asks for the page before, where there is one and the worker answers."""
        history, listed = self._history, self.query_one(EventList)
        if self._loading or self._fault or self._advice or history.complete or history.is_full:
            return
        if self.app.edge is None or self.rack.worker is None:
            return
        if self._text and self._pages >= SEARCHED_PAGES and listed.following:
            return
        self._loading = True
        self._pages += 1
        self._ask(history)

    @work(group="events", exclusive=True)
    async def _ask(self, history: EventHistory) -> None:
        edge = self.app.edge
        if edge is None:
            return
        try:
            await history.older(edge)
        except TranscoderError as error:
            if history is self._history:
                self._fault = error.faults[0].fault if error.faults else error.title
        if history is self._history:
            self._loading = False
            self._show()

    # Moving

    def action_move(self, where: str) -> None:
        """Moves the cursor, or the details where these have the keys; sideways goes to another choice."""
        if where in ("left", "right"):
            step = 1 if where == "right" else -1
            self._choose(CHOICES[(CHOICES.index(self._choice) + step) % len(CHOICES)])
        elif (details := self.query_one(EventDetails)).has_focus:
            page = max(1, details.size.height - 1)
            steps = {"up": -1, "down": 1, "page_up": -page, "page_down": page, "first": -(10**6), "last": 10**6}
            details.scroll_relative(y=steps[where], animate=False, immediate=True)
        else:
            self._fault = ""
            self.query_one(EventList).move(where)

    def action_follow(self) -> None:
        """Follows the latest event, or stays."""
        listed = self.query_one(EventList)
        if listed.following:
            listed.stay()
        else:
            listed.follow()

    def action_switch(self) -> None:
        """Gives the keys to the details, or back to the list."""
        listed, details = self.query_one(EventList), self.query_one(EventDetails)
        if details.display and not self.has_class("-whole"):
            (listed if details.has_focus else details).focus()

    def action_details(self) -> None:
        """Shows the details below the list, or gives the list their place."""
        self.remove_class("-whole")
        self.toggle_class("-bare")
        self._settle()

    def action_log(self) -> None:
        """The details over the whole screen, and back."""
        if self.query_one(EventList).current is not None:
            self.toggle_class("-whole")
            self._settle()

    def _settle(self) -> None:
        self._show_state()
        whole = self.has_class("-whole")
        self.query_one(EventDetails if whole else EventList).focus()

    # What is shown

    @on(ChoiceBar.Picked)
    def _pick(self, event: ChoiceBar.Picked) -> None:
        self._choose(next(choice for choice in CHOICES if choice == event.choice))

    def action_choose(self, choice: Choice) -> None:
        """Shows only some kinds; again shows all."""
        self._choose("all" if choice == self._choice else choice)

    def _choose(self, choice: Choice) -> None:
        self._choice = choice
        self._history = EventHistory(choice)
        self._history.take(self.rack.events)
        self._begin()

    def _begin(self) -> None:
        self._fault = ""
        self._loading = False
        self._pages = 0
        self.query_one(EventList).following = True
        self._show()

    async def action_filter(self) -> None:
        """Asks for a text to search for."""
        if self.query(SearchField):
            return
        field = SearchField(self._text, self._search, self._leave_search)
        await self.mount(field, after="#choices")
        self.set_focus(field)

    def _search(self, text: str) -> None:
        self._text = text
        self._begin()

    def _leave_search(self) -> None:
        self.set_focus(self.query_one(EventList))
        self.query(SearchField).remove()

    # Channels

    def action_open(self) -> None:
        """To the channel of the event under the cursor."""
        event = self.query_one(EventList).current
        if event is None:
            return
        if event.channel_id is None:
            self.notify("This event is about no channel.", markup=False)
        elif event.channel_id not in self.rack.channels:
            self.notify(f"{event.channel} is no longer there.", markup=False)
        else:
            self.rack.choose(event.channel_id)
            self.app.open_view("channel")

    def action_acknowledge(self) -> None:
        """Acknowledges the alarms of the channel of the event under the cursor."""
        event = self.query_one(EventList).current
        if event is None or event.channel_id not in self.rack.channels:
            self.notify("This event is about no channel that is there.", markup=False)
        else:
            self.app.acknowledge([self.rack.channels[event.channel_id]])

    def action_back(self) -> None:
        """Out of the search, the details, the choice, the screen: in this order."""
        if self.query(SearchField) or self._text:
            self._leave_search()
            self._search("")
        elif self.has_class("-whole"):
            self.action_log()
        elif self.query_one(EventDetails).has_focus:
            self.query_one(EventList).focus()
        elif self._choice != "all":
            self._choose("all")
        else:
            self.app.open_view("channels")
