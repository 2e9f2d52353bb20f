"""What the console's first paint costs is decided by what its module imports; this holds the heavy parts off it."""

import subprocess
import sys

import pytest

HEAVY = ("sqlmodel", "sqlalchemy", "fastapi", "uvicorn", "httpx", "alembic")


def loaded_by(statement: str) -> set[str]:
    code = f"{statement}; import sys; print(' '.join(sys.modules))"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_the_consoles_module_loads_nothing_heavy() -> None:
    loaded = loaded_by("import transcoder_tui.console.app")
    assert "textual.app" in loaded
    assert not loaded.intersection(HEAVY)


def test_nor_does_it_load_the_models_before_there_is_data() -> None:
    assert "pydantic" not in loaded_by("import transcoder_tui.console.app")


@pytest.mark.parametrize(
    "screen", ["form", "channel", "command", "confirm", "source", "fault", "help", "bulk", "group", "log_prompt"]
)
def test_no_screen_loads_the_server_side(screen: str) -> None:
    assert not loaded_by(f"import transcoder_tui.console.screens.{screen}").intersection(HEAVY)
