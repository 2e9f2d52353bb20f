"""What is drawn over the picture: a logo, a text, a clock."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, model_validator

from transcoder_tui.models.address import Address, parse_address, require_file
from transcoder_tui.models.faults import refuse
from transcoder_tui.models.field import about
from transcoder_tui.models.units import Range, no_truth_value

Corner = Literal["top-left", "top-right", "bottom-left", "bottom-right"]
Percent = Annotated[int, BeforeValidator(no_truth_value)]

LOGO_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
"""Endings of still pictures."""
MAX_TEXT = 200
"""Characters of a text; more does not fit into a line of a picture."""


def parse_logo(text: str) -> Address:
    """The address of a logo.

    Raises:
        PydanticCustomError: With what is wrong and what would be right.
    """
    address = parse_address(text, ("file",))
    require_file(address)
    if not address.file.lower().endswith(LOGO_ENDINGS):
        raise refuse(f"{text!r} is no still picture", f"end it with one of {', '.join(LOGO_ENDINGS)}")
    return address


def _check_logo(text: str) -> str:
    return parse_logo(text).text


def _check_text(text: str) -> str:
    if not text.strip() or len(text) > MAX_TEXT:
        raise refuse("has the wrong length", f"write 1 to {MAX_TEXT} characters")
    if not text.isprintable():
        raise refuse(f"{text!r} contains control characters", "write printable characters only")
    return text.strip()


class Overlay(BaseModel):
    """What is drawn over the picture of every rendition."""

    model_config = ConfigDict(extra="forbid")

    logo: Annotated[str, AfterValidator(_check_logo)] | None = about(
        "Picture that is laid over the channel, with its transparency: file:// below a media root.",
        label="Logo",
        example="file://logo.png",
        default=None,
    )
    logo_position: Corner = about("Corner of the logo.", label="Logo position", default="top-right")
    logo_height: Annotated[Percent, Range(1, 100)] = about(
        "Height of the logo, in per cent of the picture's.", label="Logo height", unit="%", default=10
    )
    logo_opacity: Annotated[Percent, Range(1, 100)] = about(
        "How much the logo covers what is below it.", label="Logo opacity", unit="%", default=100
    )
    text: Annotated[str, AfterValidator(_check_text)] | None = about(
        "Text that is burnt into the picture.", label="Text", example="TEST TRANSMISSION", default=None
    )
    clock: Literal["utc", "local"] | None = about(
        "Time of day that is burnt into the picture, on a line of its own below the text.",
        label="Clock",
        default=None,
    )
    text_position: Corner = about("Corner of text and clock.", label="Text position", default="bottom-left")
    text_height: Annotated[Percent, Range(1, 50)] = about(
        "Height of the letters, in per cent of the picture's.", label="Text height", unit="%", default=5
    )

    @model_validator(mode="after")
    def _apart(self) -> "Overlay":
        if self.logo and self.has_words and self.logo_position == self.text_position:
            raise refuse("is the corner of the logo as well", "choose another corner", "text_position")
        return self

    @property
    def has_words(self) -> bool:
        """Whether a text or a clock is drawn."""
        return self.text is not None or self.clock is not None

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be drawn."""
        return self.logo is None and not self.has_words
