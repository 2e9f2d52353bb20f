"""The settings of one installation: from the environment, else a TOML file, else the defaults here.

The environment prefix is ``TRANSCODER_``; two underscores lead into a section, as in ``TRANSCODER_RETRY__ATTEMPTS``.
The file is the one that ``TRANSCODER_CONFIG`` names, else ``transcoder-tui/settings.toml`` in the user's
configuration directory, else ``/etc/transcoder-tui/settings.toml``.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from transcoder_tui.errors import Fault, HostFault, InvalidInput
from transcoder_tui.models.faults import faults_of
from transcoder_tui.models.setting import DEFAULT, Setting

APP = "transcoder-tui"
MAX_SOCKET_PATH = 107
"""Bytes in the path of a Unix socket: sockaddr_un holds 108 with its end, unix(7)."""

PATHS = (
    ("", "data_dir"),
    ("", "run_dir"),
    ("", "media_roots"),
    ("", "hls_root"),
    ("ffmpeg", "path"),
    ("api", "socket"),
)
"""Section and name of the settings that are paths."""

AbsolutePath = Annotated[Path, AfterValidator(lambda path: path.expanduser().resolve())]
OwnPath = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]
"""A path that must not lead through a symbolic link at its end, so that it is not followed."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FFmpegSettings(_Section):
    """Which FFmpeg runs the channels."""

    path: AbsolutePath | None = None
    """The binary. If not given: the one on PATH if it is 4.4 or newer, else the one that this program carries."""


class RetrySettings(_Section):
    """What happens after a channel failed."""

    attempts: Annotated[int, Field(ge=0, le=1000)] = 5
    """Consecutive failures after which a channel is given up."""
    max_delay_s: Annotated[float, Field(ge=1, le=3600)] = 30.0
    """Longest wait before an attempt; the waits grow 0, 2, 4, 8, 16, … seconds up to it."""
    healthy_after_s: Annotated[float, Field(ge=1, le=86400)] = 60.0
    """Time on air after which earlier failures are forgotten."""
    after_exhausted: Literal["probe", "hold"] = "probe"
    """What follows the last attempt: ``probe`` tries channels with a live source again at long intervals, ``hold``
    leaves every channel off air until an operator starts it."""
    probe_s: Annotated[float, Field(ge=1, le=86400)] = 60.0
    """Interval before the first of these tries; it doubles from one to the next."""
    probe_max_s: Annotated[float, Field(ge=1, le=86400)] = 300.0
    """Longest interval between them."""


class StartSettings(_Section):
    """How many channels start at the same time."""

    at_once: Annotated[int, Field(ge=1, le=10000)] | None = None
    """Channels that begin to start within half a second; the others wait in the order of their priority.
    If not given: four for each core."""


class SourceSettings(_Section):
    """How a channel with several sources changes between them."""

    return_after_s: Annotated[float, Field(ge=0, le=86400)] = 60.0
    """Time for which a better source must have been good before the channel returns to it; 0: only on order."""
    probe_every_s: Annotated[float, Field(ge=1, le=3600)] = 10.0
    """Interval at which better sources are tested while a backup is on air."""
    hold_down_max_s: Annotated[float, Field(ge=1, le=86400)] = 3600.0
    """A source that fails soon after a return must be good twice as long the next time, up to this time."""


class BackupSettings(_Section):
    """Copies of the database, in ``DATA_DIR/backups``."""

    every_s: Annotated[float, Field(ge=1, le=604800)] = 3600.0
    """Interval."""
    keep: Annotated[int, Field(ge=1, le=10000)] = 48
    """Copies that are kept; the oldest one goes."""


class WatchdogSettings(_Section):
    """When a channel counts as unwell, and when its FFmpeg is ended."""

    startup_s: Annotated[float, Field(ge=1, le=600)] = 15.0
    """Longest time from its start to its first media progress."""
    stall_s: Annotated[float, Field(ge=1, le=600)] = 15.0
    """Longest time on air without media progress."""
    quiet_s: Annotated[float, Field(ge=1, le=600)] = 3.0
    """Time on air without media progress after which an alarm is raised."""
    slow_s: Annotated[float, Field(ge=5, le=3600)] = 60.0
    """Time over which a channel must be slower than real time before an alarm is raised."""


class LogSettings(_Section):
    """The log of each channel."""

    max_bytes: Annotated[int, Field(ge=65536)] = 10_000_000
    """Size at which the oldest part of a channel's log is dropped."""


class ApiSettings(_Section):
    """How clients reach the worker."""

    socket: AbsolutePath | None = None
    """The Unix socket. If not given: ``worker.sock`` in the run directory."""


class _TomlFile(TomlConfigSettingsSource):
    """The TOML file, whose relative paths belong to its own directory wherever the program runs."""

    def __init__(self, settings_cls: type[BaseSettings], file: Path) -> None:
        self._directory = file.resolve().parent
        super().__init__(settings_cls, file)

    def __call__(self) -> dict[str, Any]:
        values = super().__call__()
        for section, name in PATHS:
            place = values.get(section) if section else values
            if isinstance(place, dict) and name in place:
                place[name] = self._absolute(place[name])
        return values

    def _absolute(self, value: object) -> object:
        if isinstance(value, list):
            return [self._absolute(entry) for entry in value]
        return str(self._directory / Path(value).expanduser()) if isinstance(value, str) else value


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix="TRANSCODER_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
    )

    data_dir: AbsolutePath = Field(default_factory=lambda: Path(platformdirs.user_state_dir(APP)))
    """Database, logs, and below it by default the media and HLS directories."""
    run_dir: OwnPath | None = None
    """Socket, locks and progress files; best on tmpfs. If not given: below ``/run`` for root, else ``DATA_DIR/run``."""
    media_roots: list[AbsolutePath] | None = None
    """Directories below which ``file://`` may read and write; relative names belong to the first.
    If not given: ``DATA_DIR/media``."""
    hls_root: AbsolutePath | None = None
    """Directory below which ``hls://`` writes; what a web server publishes. If not given: ``DATA_DIR/hls``."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """What the worker writes to its own log, ``DATA_DIR/logs/worker.log``."""
    ffmpeg: FFmpegSettings = FFmpegSettings()
    """Which FFmpeg runs the channels."""
    retry: RetrySettings = RetrySettings()
    """What happens after a channel failed."""
    start: StartSettings = StartSettings()
    """How many channels start at the same time."""
    sources: SourceSettings = SourceSettings()
    """How a channel with several sources changes between them."""
    watchdog: WatchdogSettings = WatchdogSettings()
    """When a channel counts as unwell, and when its FFmpeg is ended."""
    backup: BackupSettings = BackupSettings()
    """Copies of the database, in ``DATA_DIR/backups``."""
    log: LogSettings = LogSettings()
    """The log of each channel."""
    api: ApiSettings = ApiSettings()
    """How clients reach the worker."""

    _origins: dict[str, str] = PrivateAttr(default_factory=dict)
    """Where each setting comes from that is not at its default, by its name with its section."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment, then the TOML file."""
        file = config_file()
        toml = (_TomlFile(settings_cls, file),) if file else ()
        return (init_settings, env_settings, *toml)

    @property
    def run_path(self) -> Path:
        """The run directory in use."""
        if self.run_dir is not None:
            return self.run_dir
        if os.geteuid() == 0:
            return Path("/run") / APP / hashlib.sha256(bytes(self.data_dir)).hexdigest()[:12]
        return self.data_dir / "run"

    @property
    def socket(self) -> Path:
        """The worker's Unix socket."""
        return self.api.socket or self.run_path / "worker.sock"

    @property
    def media(self) -> list[Path]:
        """The media roots in use."""
        return self.media_roots or [self.data_dir / "media"]

    @property
    def hls(self) -> Path:
        """The HLS root in use."""
        return self.hls_root or self.data_dir / "hls"

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.data_dir / "transcoder.db"

    @property
    def backups(self) -> Path:
        """Where copies of the database lie."""
        return self.data_dir / "backups"

    @property
    def capacity(self) -> Path:
        """What this machine was measured to encode."""
        return self.data_dir / "capacity.json"

    @property
    def history(self) -> Path:
        """How every channel did over the last day."""
        return self.data_dir / "history.bin"

    @property
    def ladders(self) -> Path:
        """The operator's own ladders, which need not be there."""
        return self.data_dir / "ladders.yaml"

    @property
    def channel_logs(self) -> Path:
        """Where each channel's log lies."""
        return self.data_dir / "logs" / "channels"

    @property
    def worker_log(self) -> Path:
        """The worker's own log."""
        return self.data_dir / "logs" / "worker.log"


def config_file() -> Path | None:
    """The TOML file in use, if there is one.

    Raises:
        HostFault: Where ``TRANSCODER_CONFIG`` names a file that is not there.
    """
    named = os.environ.get("TRANSCODER_CONFIG")
    if named:
        if not Path(named).is_file():
            raise HostFault(f"there is no file {named}", "correct TRANSCODER_CONFIG or unset it", "TRANSCODER_CONFIG")
        return Path(named)
    places: list[Callable[[], Path]] = [
        lambda: platformdirs.user_config_path(APP) / "settings.toml",
        lambda: Path("/etc") / APP / "settings.toml",
    ]
    return next((place() for place in places if place().is_file()), None)


def load_settings(**arguments: Any) -> Settings:
    """The settings in force.

    Args:
        arguments: Values that come before environment and file, such as ``data_dir``; None counts as not given.

    Raises:
        InvalidInput: With a fault for each setting that is wrong.
        HostFault: Where the named file is not there, or the socket's path is too long for the system.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    try:
        settings = Settings(**given)
    except ValidationError as error:
        raise InvalidInput(faults_of(error)) from None
    except ValueError as error:
        raise InvalidInput(
            [Fault(f"the settings file cannot be read: {error}", "write it as TOML", "settings")]
        ) from None
    settings._origins = _origins(given)
    if len(bytes(settings.socket)) > MAX_SOCKET_PATH:
        raise HostFault(
            f"the path of the worker's socket is longer than {MAX_SOCKET_PATH} bytes: {settings.socket}",
            "set TRANSCODER_RUN_DIR or TRANSCODER_API__SOCKET to a shorter path",
            "api.socket",
        )
    return settings


def describe_settings(settings: Settings) -> list[Setting]:
    """Every setting with its value, its default and where it comes from, in the order of declaration.

    Args:
        settings: As :func:`load_settings` gave them: environment and file may have changed since.
    """
    return [
        Setting(
            name=name,
            value=to_jsonable_python(value),
            default=to_jsonable_python(field.get_default(call_default_factory=True)),
            origin=settings._origins.get(name, DEFAULT),
            help=text,
        )
        for name, field, value, text in _settings_of(settings)
    ]


def _settings_of(section: BaseModel, prefix: str = "") -> Iterator[tuple[str, FieldInfo, object, str]]:
    texts = _help_texts(type(section))
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, _Section):
            yield from _settings_of(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field, value, texts.get(name, "")


def _help_texts(section: type[BaseModel]) -> dict[str, str]:
    """The text beneath each field. Read when asked for: pydantic would read it at every start of every program."""
    import ast
    import inspect

    [definition] = ast.parse(inspect.getsource(section)).body
    assert isinstance(definition, ast.ClassDef), "the source of a class is a class"
    return {
        field.target.id: " ".join(text.value.value.split())
        for field, text in pairwise(definition.body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str)
    }


def _origins(arguments: Mapping[str, Any]) -> dict[str, str]:
    """Where each setting comes from that is given anywhere, by the sources of :class:`Settings`."""
    found: dict[str, str] = {}
    file = config_file()
    if file is not None:
        found |= dict.fromkeys(_names(_TomlFile(Settings, file)()), f"file {file}")
    found |= {name: f"environment {_variable(name)}" for name in _names(EnvSettingsSource(Settings)())}
    return found | dict.fromkeys(_names(arguments), "argument")


def _names(document: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in document.items():
        if isinstance(value, dict):
            yield from _names(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _variable(name: str) -> str:
    """The environment variable that gives a setting: its own, else that of its whole section as JSON."""
    spelled = {variable.upper(): variable for variable in os.environ}
    section, _, _ = name.partition(".")
    candidates = [f"TRANSCODER_{part}".upper() for part in (name.replace(".", "__"), section)]
    return next((spelled[candidate] for candidate in candidates if candidate in spelled), candidates[0])
