"""Which output a line of FFmpeg's log speaks of, as far as the log tells."""

import re
from urllib.parse import urlsplit

MAX_LINE = 1 << 14
"""Characters of a line that are looked at: that of a tee names all its outputs with their options."""

_LEARNT = re.compile(r"\[info\] Output #(?P<number>\d+), (?P<muxer>[\w,]+), to '(?P<target>.*)':$")
_SLAVE = re.compile(r"Slave muxer #(?P<number>\d+) failed")
_NUMBER = re.compile(r"\[(?:out#|[avs]ost#)(?P<number>\d+)|for output file #(?P<file>\d+)")
_NAMED = re.compile(
    r"(?:^(?=[a-z]{2,8}:)|Error (?:writing trailer of|closing file|opening|writing to)(?: output(?: file(?= ))?)?"
    r"|Failed to open (?:file|segment) '|Slave '.*(?<!\\)\]) ?(?P<url>[^\s']+?)(?:'|\.$|: |$)"
)


class OutputNames:
    """Knows the outputs by what FFmpeg said at its start; says nothing of those that it has not seen."""

    def __init__(self) -> None:
        self._outputs: dict[int, list[str]] = {}

    def learn(self, line: str) -> None:
        """Takes the next line of the log."""
        if "Output #" not in line:
            return
        found = _LEARNT.search(line[:MAX_LINE].rstrip("\r\n"))
        if found:
            target = found["target"]
            slaves = re.split(r"(?<!\\)\|", target) if found["muxer"] == "tee" else [target]
            urls = [re.sub(r"^\[.*?(?<!\\)\]", "", slave) for slave in slaves]
            self._outputs[int(found["number"])] = [shown(url) for url in urls]

    def of(self, text: str) -> str:
        """The address of the output that a line speaks of; empty where that does not show.

        Args:
            text: The line, of which it is known that it speaks of an output.
        """
        if slave := _SLAVE.search(text):
            tees = [urls for urls in self._outputs.values() if len(urls) > 1]
            number = int(slave["number"])
            return tees[0][number] if len(tees) == 1 and number < len(tees[0]) else ""
        all_urls = [url for urls in self._outputs.values() for url in urls]
        if len(all_urls) == 1:
            return all_urls[0]
        if named := _NAMED.search(text):
            return shown(named["url"])
        numbered = _NUMBER.search(text)
        urls = self._outputs.get(int(numbered["number"] or numbered["file"]), []) if numbered else []
        return urls[0] if len(urls) == 1 else ""


def shown(url: str) -> str:
    """An address as FFmpeg logs it, without login and parameters, and for RTMP without its stream key."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an output"
    if parts.scheme == "file" or not parts.netloc:
        # Of a ladder, what its playlists lie in.
        return parts.path.partition("/%v/")[0] or url
    path = "/".join(parts.path.split("/")[:2]) if parts.scheme in ("rtmp", "rtmps") else parts.path
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{path}"
