"""Turns what pydantic finds wrong into faults that an operator understands."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from transcoder_tui.errors import Fault, InvalidInput

Model = TypeVar("Model", bound=BaseModel)

MAX_TEXT = 4000
"""Characters of one value: more than any address or path needs (``PATH_MAX`` is 4096)."""
MAX_NUMBER = 2**63 - 1
"""Largest number of one value: what the database and JSON readers hold."""
MAX_FAULT = 400
"""Characters of one fault; what stands in the middle of a longer one, mostly the value itself, is left out."""
_MAX_KEY = 64


def refuse(fault: str, remedy: str = "", field: str = "") -> PydanticCustomError:
    """The error that our validators raise.

    Args:
        fault: What is wrong.
        remedy: What would be right.
        field: The field below the validated model, where a model validator knows it.
    """
    if len(fault) > MAX_FAULT:
        fault = f"{fault[: MAX_FAULT - 150]} … {fault[-150:]}"
    return PydanticCustomError("refused", "{fault}", {"fault": fault, "remedy": remedy, "field": field})


def refuse_monstrous(document: object, loc: tuple[int | str, ...] = ()) -> object:
    """Refuses values that no field takes and that would cost time or break what reads them, before anything does.

    Args:
        document: What came from outside.
        loc: Where in the document it stands.

    Raises:
        PydanticCustomError: Naming the field.
    """
    if isinstance(document, dict):
        for name, value in document.items():
            if not isinstance(name, str):
                raise refuse("has a field whose name is no text", "check its spelling", field_path(loc))
            refuse_monstrous(value, (*loc, name[:_MAX_KEY]))
    elif isinstance(document, list):
        for index, value in enumerate(document):
            refuse_monstrous(value, (*loc, index))
    elif isinstance(document, str):
        if len(document) > MAX_TEXT:
            raise refuse(f"has {len(document)} characters", f"write at most {MAX_TEXT}", field_path(loc))
        if not document.isascii() and any("\ud800" <= char <= "\udfff" for char in document):
            raise refuse("contains half a character", "write whole Unicode characters", field_path(loc))
    elif isinstance(document, bytes):
        raise refuse("is binary", "write a text", field_path(loc))
    elif isinstance(document, int | float) and not abs(document) <= MAX_NUMBER:
        raise refuse("is no number that can be used here", "write a number of a few digits", field_path(loc))
    return document


def parse(model: type[Model], document: object) -> Model:
    """Validates a document from outside.

    Raises:
        InvalidInput: With a fault for each field that is wrong.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise InvalidInput(faults_of(error)) from None


def faults_of(error: ValidationError) -> list[Fault]:
    """One fault for each thing that pydantic found wrong."""
    return faults_from(error.errors(include_url=False))


def faults_from(errors: Sequence[ErrorDetails], skip: int = 0) -> list[Fault]:
    """One fault for each of pydantic's error details.

    Args:
        errors: The details.
        skip: How many leading parts of each location are not the operator's, such as ``body`` of a request.
    """
    return [_fault({**details, "loc": details["loc"][skip:]}) for details in errors]


def field_path(loc: tuple[int | str, ...]) -> str:
    """``('outputs', 1, 'muxrate')`` as operators write it: ``outputs[1].muxrate``."""
    path = ""
    for part in loc:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def _fault(details: ErrorDetails) -> Fault:
    context = details.get("ctx", {})
    loc = details["loc"]
    if details["type"] == "refused":
        inner = str(context["field"])
        return Fault(str(context["fault"]), str(context["remedy"]), field_path((*loc, inner) if inner else loc))
    words = _WORDS.get(details["type"])
    if words is None:
        return Fault(details["msg"], field=field_path(loc))
    fault, remedy = words(details["input"], context)
    # A field of a file behind whose colon nothing stands.
    return Fault("is empty" if details["input"] is None else fault, remedy, field_path(loc))


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _choice(value: object, context: dict[str, Any]) -> tuple[str, str]:
    return f"{_shown(value)} is not one of the choices", f"choose {context['expected']}"


def _text(value: object, _: dict[str, Any]) -> tuple[str, str]:
    return f"{_shown(value)} is not a text", "write a text, in quotes if it looks like a number"


def _whole(value: object, _: dict[str, Any]) -> tuple[str, str]:
    return f"{_shown(value)} is not a whole number", "write digits only"


def _boolean(value: object, _: dict[str, Any]) -> tuple[str, str]:
    return f"{_shown(value)} is neither true nor false", "write true or false"


def _section(value: object, _: dict[str, Any]) -> tuple[str, str]:
    return f"{_shown(value)} is not a section with fields", "write its fields below it, such as {name: value}"


def _number(_: object, __: dict[str, Any]) -> tuple[str, str]:
    return "is no number that can be used here", "write a number of a few digits"


_Words = Callable[[Any, dict[str, Any]], tuple[str, str]]

_WORDS: dict[str, _Words] = {
    "missing": lambda _, __: ("is missing", "it has no default and must be given"),
    "extra_forbidden": lambda _, __: ("is not known here", "check its spelling and its place, or remove it"),
    "literal_error": _choice,
    "enum": _choice,
    "string_type": _text,
    "string_too_short": lambda value, ctx: ("is too short", f"write at least {ctx['min_length']} characters"),
    "string_too_long": lambda value, ctx: ("is too long", f"write at most {ctx['max_length']} characters"),
    "int_parsing": _whole,
    "int_type": _whole,
    "int_from_float": _whole,
    "int_parsing_size": _number,
    "finite_number": _number,
    "float_type": _number,
    "float_parsing": _number,
    "bool_parsing": _boolean,
    "bool_type": _boolean,
    "list_type": lambda value, _: (f"{_shown(value)} is not a list", "write a list, each entry behind a dash"),
    "greater_than_equal": lambda value, ctx: (f"{_shown(value)} is too small", f"write {ctx['ge']} or more"),
    "less_than_equal": lambda value, ctx: (f"{_shown(value)} is too large", f"write {ctx['le']} or less"),
    "json_invalid": lambda _, ctx: (f"is not JSON: {ctx['error']}", "send a JSON document"),
    "too_short": lambda value, ctx: ("is empty", f"give at least {ctx['min_length']}"),
    "model_type": _section,
    "model_attributes_type": _section,
    "dict_type": _section,
}
