"""How a field of a model describes itself to forms, help, API schema and error texts."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo

from transcoder_tui.models.faults import refuse
from transcoder_tui.models.units import Range


@dataclass(frozen=True)
class Described:
    """What a form or a help text needs to know of one field."""

    name: str
    label: str
    help: str
    unit: str
    example: str
    kinds: tuple[str, ...]
    """Address schemes to which the field applies; empty means all."""
    range: str
    """The allowed range in words; empty where any value of its type goes."""
    required: bool
    apart: str
    """Heading under which a form shows it apart, at its end, because it is rarely used; empty where it does not.
    Documents leave such a field out where it says nothing but its default."""


def about(
    help: str,  # noqa: A002 - the word that readers of a model expect
    *,
    label: str,
    unit: str = "",
    example: str = "",
    kinds: tuple[str, ...] = (),
    apart: str = "",
    **options: Any,
) -> Any:
    """A pydantic field with its label, help text, unit, example, the address kinds that it belongs to, its place."""
    extra: JsonDict = {"unit": unit, "example": example, "kinds": list(kinds), "apart": apart}
    return Field(title=label, description=help, json_schema_extra=extra, **options)


def describe(model: type[BaseModel]) -> list[Described]:
    """The fields of a model, in the order in which a form shows them."""
    return [_described(name, info) for name, info in model.model_fields.items()]


def _described(name: str, info: FieldInfo) -> Described:
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    kinds = extra.get("kinds")
    ranges = [str(item) for item in info.metadata if isinstance(item, Range)]
    return Described(
        name=name,
        label=info.title or name,
        help=info.description or "",
        unit=str(extra.get("unit", "")),
        example=str(extra.get("example", "")),
        kinds=tuple(map(str, kinds)) if isinstance(kinds, list) else (),
        range=ranges[0] if ranges else "",
        required=info.is_required(),
        apart=str(extra.get("apart", "")),
    )


def written(model: BaseModel) -> dict[str, Any]:
    """A model as documents hold it: in operators' notation, without empty fields and rare ones that say nothing.

    An empty field stays where leaving it out would say something else: ``audio: null`` is a rendition without sound.
    """
    document = model.model_dump(mode="json", exclude_none=True)
    for field in describe(type(model)):
        value = getattr(model, field.name)
        if isinstance(value, BaseModel):
            document[field.name] = written(value)
        elif isinstance(value, list) and value and isinstance(value[0], BaseModel):
            document[field.name] = [written(entry) for entry in value]
        elif value is None and not field.required:
            if type(model).model_fields[field.name].get_default(call_default_factory=True) is not None:
                document[field.name] = None
        elif field.apart and value == type(model).model_fields[field.name].default:
            document.pop(field.name, None)
    return document


def refuse_foreign(model: BaseModel, kind: str) -> None:
    """Refuses fields that are set although they do not belong to an address of this kind.

    Raises:
        PydanticCustomError: Naming the field and the kinds that it belongs to.
    """
    for field in describe(type(model)):
        if field.kinds and kind not in field.kinds and getattr(model, field.name) is not None:
            belongs = " and ".join(f"{scheme}://" for scheme in field.kinds)
            raise refuse(f"does not apply to {kind}://", f"remove it; it is for {belongs}", field.name)
