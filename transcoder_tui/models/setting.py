"""The settings in force, as they are shown."""

from pydantic import BaseModel

DEFAULT = "default"
"""Origin of a setting that nobody set."""

SettingValue = str | int | float | bool | list[str] | None
"""A setting as JSON has it; None where none is given, and the help says what that means."""


class Setting(BaseModel):
    """One setting of the worker."""

    name: str
    """With the section before it, such as ``retry.attempts``."""
    value: SettingValue
    """What the worker goes by, secrets masked."""
    default: SettingValue
    origin: str
    """Where it comes from: ``default``, ``environment TRANSCODER_X``, ``file PATH`` or ``argument``."""
    help: str

    @property
    def is_default(self) -> bool:
        """Whether nobody set it."""
        return self.origin == DEFAULT
