"""Addresses of sources and outputs: ``udp://239.1.1.1:5000``, ``hls://news-hd``, ``file:///srv/media/clip.ts``."""

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, unquote_plus, urlsplit

from transcoder_tui.models.faults import refuse

MASK = "***"
"""Stands wherever a secret was."""
LONG = 8
"""Characters from which on a part of a stream key is no common word."""

PATHS = ("file", "hls", "dash", "test")
"""Schemes whose addresses name no host."""

_OPEN = (*PATHS, "udp", "rtp", "srt", "http", "https", "rtsp")
"""Schemes whose paths are no secrets."""
_FORBIDDEN = re.compile(r"[\s\x00-\x1f\x7f-\x9f|'\"\\<>^`{}]")
"""Characters that no address needs and that a shell, a tee muxer or a terminal would act on."""

_HOST = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")
_NUMERIC = re.compile(r"(.*\.)?([0-9]+|0[xX][0-9A-Fa-f]*)\.?")
"""What the system's resolver would take for an IPv4 address, in whatever notation: ``0xef.1``, ``2130706433``."""
_SECRET_PARAMETER = re.compile(r"pass|pwd|token|key|secret|auth|sig|hash|hdn|streamid", re.IGNORECASE)
"""Parameters whose values open something: what CDNs, SRT servers and web servers call theirs."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address taken apart."""

    text: str
    scheme: str
    user: str
    """``user`` or ``user:password`` of the authority; empty where there is none."""
    host: str
    port: int | None
    path: str
    """Begins with ``/`` or is empty; not decoded."""
    query: dict[str, str]

    @property
    def authority(self) -> str:
        """``host:port`` as a URL writes it, IPv6 addresses in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port is not None else host

    @property
    def is_multicast(self) -> bool:
        """Whether the host is a multicast group."""
        try:
            return ipaddress.ip_address(self.host).is_multicast
        except ValueError:
            return False

    @property
    def file(self) -> str:
        """The path that a ``file://`` address names, decoded: absolute, or relative to the first media root."""
        return unquote(self.host + self.path)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The parts that nobody should read over a shoulder: passwords, passphrases and RTMP stream keys."""
        found = [self.user.partition(":")[2]]
        for part in urlsplit(self.text).query.split("&"):
            name, _, value = part.partition("=")
            if _SECRET_PARAMETER.search(name):
                found.append(value)
        if self.scheme in ("rtmp", "rtmps"):
            key = self.text.partition("://")[2].split("/", 2)
            found.append(key[2] if len(key) == 3 else "")
            # Servers may name a part of it; a short part is a common word.
            found += [part for part in re.split("[/?]", found[-1]) if len(part) >= LONG]
        # FFmpeg is given and logs them decoded as well.
        decoded = [form(secret) for secret in found for form in (unquote, unquote_plus)]
        return tuple(dict.fromkeys(secret for secret in (*found, *decoded) if secret))

    @property
    def masked(self) -> str:
        """The address with its secrets hidden."""
        text = self.text
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, MASK)
        return text


def _brief(text: str) -> str:
    """An address that is refused, as it may be shown: without what could be a login, a stream key or a parameter."""
    scheme, separator, rest = text.partition("://")
    rest = rest.partition("?")[0].rpartition("@")[2]
    if scheme.lower() not in _OPEN:
        rest = "/".join(rest.split("/")[: 2 if scheme.lower() in ("rtmp", "rtmps") else 1])
    return repr(f"{scheme}{separator}{rest}")


def parse_address(text: str, schemes: Collection[str]) -> Address:
    """Takes an address apart.

    Args:
        text: The address as the operator wrote it.
        schemes: The schemes that are allowed here.

    Raises:
        PydanticCustomError: With what is wrong and what would be right.
    """
    examples = ", ".join(f"{scheme}://" for scheme in schemes)
    bad = _FORBIDDEN.search(text) or next((char for char in text if not char.isprintable()), None)
    if bad:
        shown = bad if isinstance(bad, str) else bad.group()
        raise refuse(
            f"{_brief(text)} contains {shown!r}", "write the address without blanks, quotes and shell characters"
        )
    scheme, separator, rest = text.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in schemes:
        raise refuse(f"{_brief(text)} is no address that can be used here", f"begin it with one of {examples}")
    # FFmpeg tells protocols apart by small letters only.
    text = f"{scheme}://{rest}"
    try:
        parts = urlsplit(text)
        port = None if scheme in PATHS else parts.port
    except ValueError:
        raise refuse(f"{_brief(text)} is not a well-formed address", "ports are 1 to 65535, IPv6 in brackets") from None
    user, _, _ = parts.netloc.rpartition("@")
    host = parts.netloc.rpartition("@")[2] if scheme in PATHS else parts.hostname or ""
    return Address(
        text=text,
        scheme=scheme,
        user=user,
        host=host,
        port=port,
        path=parts.path,
        query=dict(parse_qsl(parts.query, keep_blank_values=True)),
    )


def require_port(address: Address) -> None:
    """Refuses an address without a port.

    Raises:
        PydanticCustomError: With the address as it should be.
    """
    if not address.port:
        raise refuse(
            f"{_brief(address.text)} has no port",
            f"write {address.scheme}://{address.host or 'HOST'}:PORT, such as :5000",
        )


def require_host(address: Address) -> None:
    """Refuses an address without a host.

    Raises:
        PydanticCustomError: With the address as it should be.
    """
    if not address.host:
        raise refuse(f"{_brief(address.text)} names no host", f"write {address.scheme}://HOST…")
    if ":" in address.host:
        try:
            ipaddress.IPv6Address(address.host.partition("%")[0])
        except ValueError:
            raise refuse(f"{address.host!r} is no IPv6 address", "write one such as [2001:db8::1]") from None
        if "%" in address.host:
            raise refuse(f"{address.host!r} names an interface", "write the address alone")
    elif not _HOST.fullmatch(address.host):
        raise refuse(f"{address.host!r} is no host name", "write a DNS name or an IP address")
    elif _NUMERIC.fullmatch(address.host):
        try:
            ipaddress.IPv4Address(address.host)
        except ValueError:
            raise refuse(
                f"{address.host!r} is no IP address", "write four numbers of 0 to 255, such as 239.1.1.1"
            ) from None


def require_query(address: Address, allowed: Collection[str]) -> None:
    """Refuses parameters behind ``?`` that the scheme does not know.

    Raises:
        PydanticCustomError: Naming the parameter and the ones that are known.
    """
    for name in address.query:
        if name not in allowed:
            known = ", ".join(sorted(allowed)) if allowed else "none"
            raise refuse(f"{name!r} is no parameter of {address.scheme}://", f"known parameters: {known}")


def require_file(address: Address) -> None:
    """Refuses file addresses that name no file or climb out of their directory.

    Raises:
        PydanticCustomError: With the address as it should be.
    """
    path = address.file
    if "?" in address.text or "#" in address.text:
        raise refuse(f"{address.text!r} is not a plain path", "write the path without ? and #")
    if not path.strip("/") or path.endswith("/"):
        raise refuse(f"{address.text!r} names no file", "write file:///DIR/NAME, or file://NAME below the media root")
    if ".." in path.split("/") or "%" in path or not path.isprintable() or "\\" in path:
        raise refuse(
            f"{address.text!r} is not a plain path", "write the path without .., %, backslashes and control characters"
        )
