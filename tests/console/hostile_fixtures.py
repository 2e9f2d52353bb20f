"""Documents of the worker in which every text is somebody else's, made from the models themselves."""

import importlib
import pkgutil
import types
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from rack_fixtures import NOW, FakeClient

from transcoder_tui import models


def all_models() -> list[type[BaseModel]]:
    """Every model that there is."""
    for module in pkgutil.iter_modules(models.__path__):
        importlib.import_module(f"{models.__name__}.{module.name}")
    return sorted(_heirs(BaseModel), key=lambda model: model.__qualname__)


def _heirs(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for heir in model.__subclasses__():
        if heir.__module__.startswith(models.__name__):
            yield heir
        yield from _heirs(heir)


def made_of(annotation: Any, text: str) -> Any:
    """A value of a type, with ``text`` wherever it has a text."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return made_of(inner[0], text)
    if origin in (Union, types.UnionType):
        return made_of(str if str in inner else next(part for part in inner if part is not types.NoneType), text)
    if origin is Literal:
        return inner[0]
    if origin in (list, tuple, set, frozenset):
        return origin([made_of(inner[0], text)])
    if origin is dict or annotation is dict:
        return {text: text, "nested": [{text: [text]}]}
    if annotation is Any:
        return [text, {"nested": text}]
    if not isinstance(annotation, type):
        return None
    if issubclass(annotation, Enum):
        return next(iter(annotation))
    if issubclass(annotation, BaseModel):
        given = {name: made_of(field.annotation, text) for name, field in annotation.model_fields.items()}
        return annotation.model_construct(**given)
    if is_dataclass(annotation):
        hints = get_type_hints(annotation)
        return annotation(**{field.name: made_of(hints[field.name], text) for field in fields(annotation)})
    if annotation is datetime:
        return NOW
    return text if annotation is str else annotation(1) if annotation in (int, float, bool) else None


def infested(value: Any, text: str) -> Any:
    """The same document with ``text`` in the place of every text, and in lists of texts that were empty."""
    if type(value) is str:
        return text
    if isinstance(value, list | tuple):
        return type(value)(infested(part, text) for part in value)
    if isinstance(value, dict):
        return {key: infested(part, text) for key, part in value.items()}
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            held = getattr(value, name)
            optional = held is None and str in get_args(field.annotation)
            empty = held == [] and field.annotation == list[str]
            object.__setattr__(value, name, text if optional else [text] * 2 if empty else infested(held, text))
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: infested(getattr(value, field.name), text) for field in fields(value)})
    return value


def texts_in(value: Any) -> Iterator[str]:
    """Every text within a document, keys included."""
    if type(value) is str:
        yield value
    elif isinstance(value, list | tuple | set | frozenset):
        for part in value:
            yield from texts_in(part)
    elif isinstance(value, dict):
        yield from texts_in([*value.keys(), *value.values()])
    elif isinstance(value, BaseModel):
        yield from texts_in(list(vars(value).values()))
    elif is_dataclass(value):
        yield from texts_in([getattr(value, field.name) for field in fields(value)])


class Hostile:
    """A client whose worker says one thing only.

    Args:
        client: What answers in its place.
        text: What it says wherever it says something.
    """

    def __init__(self, client: FakeClient, text: str) -> None:
        self._client = client
        self._text = text

    def __getattr__(self, name: str) -> Any:
        answer: Callable[..., Any] = getattr(self._client, name)

        async def asked(*given: Any, **named: Any) -> Any:
            return infested(await answer(*given, **named), self._text)

        return asked

    async def stream(self) -> AsyncIterator[Any]:
        async for message in self._client.stream():
            kind = message.type
            told = infested(message, self._text)
            told.type = kind
            yield told
