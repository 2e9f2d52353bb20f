"""Files that come along with the program."""

from pathlib import Path

import transcoder_tui


def shipped_file(name: str) -> Path:
    """A file of ``data``: in the package where it was installed, beside it in a checkout.

    Args:
        name: Its path below ``data``, such as ``ladders.yaml``.
    """
    package = Path(transcoder_tui.__file__).parent
    installed = package / "data" / name
    return installed if installed.exists() else package.parent / "data" / name
