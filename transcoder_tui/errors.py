"""Every error that an operator can meet, in one tree.

    TranscoderError
    ├── InvalidInput      a document, an option or an address is wrong; names each field
    ├── NoSuchChannel     no channel has that id or name
    ├── Conflict          somebody else changed the channel first
    ├── NotPermitted      the caller may look but not touch
    ├── NoWorker          nothing answers on the worker's socket
    ├── StoreUnavailable  the database cannot be read or written
    ├── SourceFault       a source cannot be looked into: it is silent, refused, in use
    └── HostFault         this machine lacks something: FFmpeg, an interface, a directory

Each carries one or more faults: the field, what is wrong with it, and what would be right.
Exit codes (``cli/exit_codes.py``), HTTP statuses (``api/errors.py``) and dialogs are mapped from these classes.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, in the operator's words."""

    fault: str
    """What is wrong, such as ``'5000 potatoes' is not a bitrate``."""
    remedy: str = ""
    """What would be right, such as ``write a number with k or M, such as 5000k``."""
    field: str = ""
    """Path of the field, such as ``channels[0].outputs[1].muxrate``; empty where no field is to blame."""

    def __str__(self) -> str:
        where = f"{self.field}: " if self.field else ""
        then = f"; {self.remedy}" if self.remedy else ""
        return f"{where}{self.fault}{then}"

    def within(self, prefix: str) -> "Fault":
        """The same fault with its field seen from an outer document."""
        joint = "." if prefix and self.field and not self.field.startswith("[") else ""
        return Fault(self.fault, self.remedy, f"{prefix}{joint}{self.field}")


class TranscoderError(Exception):
    """The root of the tree.

    Args:
        faults: What is wrong; one sentence or several faults.
        remedy: What would be right, where ``faults`` is one sentence.
        field: Which field is wrong, where ``faults`` is one sentence.
    """

    kind: ClassVar[str] = "failed"
    """Stable name of the class on the wire."""
    title: ClassVar[str] = "That did not work"
    """Heading of the dialog that shows it."""

    def __init__(self, faults: str | Sequence[Fault], remedy: str = "", field: str = "") -> None:
        self.faults: tuple[Fault, ...] = (Fault(faults, remedy, field),) if isinstance(faults, str) else tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))

    def document(self) -> dict[str, object]:
        """The JSON shape in which every error crosses the API."""
        return {
            "error": {
                "kind": self.kind,
                "title": self.title,
                "faults": [asdict(fault) for fault in self.faults],
            }
        }


class InvalidInput(TranscoderError):
    """A document, an option or an address is wrong."""

    kind = "invalid"
    title = "Not accepted"


class NoSuchChannel(TranscoderError):
    """No channel has that id or name."""

    kind = "no-such-channel"
    title = "No such channel"


class Conflict(TranscoderError):
    """The channel changed since the caller read it."""

    kind = "conflict"
    title = "Changed by somebody else"


class NotPermitted(TranscoderError):
    """The caller may look but not touch."""

    kind = "not-permitted"
    title = "Not permitted"


class NoWorker(TranscoderError):
    """Nothing answers on the worker's socket."""

    kind = "no-worker"
    title = "The worker does not answer"


class StoreUnavailable(TranscoderError):
    """The database cannot be read or written; channels on air are not touched."""

    kind = "store-unavailable"
    title = "The database is not available"


class SourceFault(TranscoderError):
    """A source cannot be looked into."""

    kind = "source"
    title = "The source cannot be read"


class HostFault(TranscoderError):
    """This machine lacks something that a channel or the program needs."""

    kind = "host"
    title = "This machine is not ready"


def error_from(document: object) -> TranscoderError:
    """The error that :meth:`TranscoderError.document` was made from, on the client's side.

    Args:
        document: Decoded JSON of an error response. Anything else becomes a plain :class:`TranscoderError`.
    """
    body = document.get("error") if isinstance(document, dict) else None
    if not isinstance(body, dict):
        return TranscoderError("the worker answered with something that is no error document")
    faults = [
        Fault(str(entry.get("fault", "")), str(entry.get("remedy", "")), str(entry.get("field", "")))
        for entry in body.get("faults", [])
        if isinstance(entry, dict)
    ]
    classes = {cls.kind: cls for cls in TranscoderError.__subclasses__()}
    return classes.get(str(body.get("kind")), TranscoderError)(faults)
