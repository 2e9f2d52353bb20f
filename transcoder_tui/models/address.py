"""Addresses of sources and outputs: ``udp://239.1.1.1:5000``, ``hls://news-hd``, ``file:///srv/media/clip.ts``."""

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from transcoder_tui.models.faults import refuse

MASK = "***"
"""Stands wherever a secret was."""

PATHS = ("file", "hls", "dash", "test")
"""Schemes whose addresses name no host."""

_FORBIDDEN = re.compile(r"[\s\x00-\x1f\x7f-\x9f|'\"\\<>^`{}]")
"""Characters that no address needs and that a shell, a tee muxer or a terminal would act on."""

_HOST = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")
_DOTTED = re.compile(r"[\d.]+")


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
        found += [self.query[name] for name in ("passphrase", "token", "password", "key") if name in self.query]
        if self.scheme in ("rtmp", "rtmps"):
            key = self.text.partition("://")[2].split("/", 2)
            found.append(key[2] if len(key) == 3 else "")
        return tuple(secret for secret in found if secret)

    @property
    def masked(self) -> str:
        """The address with its secrets hidden."""
        text = self.text
        for secret in self.secrets:
            text = text.replace(secret, MASK)
        return text


def parse_address(text: str, schemes: Collection[str]) -> Address:
    """Takes an address apart.

    Args:
        text: The address as the operator wrote it.
        schemes: The schemes that are allowed here.

    Raises:
        PydanticCustomError: With what is wrong and what would be right.
    """
    examples = ", ".join(f"{scheme}://" for scheme in schemes)
    bad = _FORBIDDEN.search(text)
    if bad:
        raise refuse(
            f"{text!r} contains {bad.group()!r}", "write the address without blanks, quotes and shell characters"
        )
    scheme, separator, _ = text.partition("://")
    if not separator or scheme.lower() not in schemes:
        raise refuse(f"{text!r} is no address that can be used here", f"begin it with one of {examples}")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise refuse(f"{text!r} is not a well-formed address", "ports are 1 to 65535, IPv6 in brackets") from None
    user, _, _ = parts.netloc.rpartition("@")
    host = parts.netloc.rpartition("@")[2] if scheme.lower() in PATHS else parts.hostname or ""
    return Address(
        text=text,
        scheme=scheme.lower(),
        user=user,
        host=host,
        port=port if scheme.lower() not in PATHS else None,
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
            f"{address.text!r} has no port", f"write {address.scheme}://{address.host or 'HOST'}:PORT, such as :5000"
        )


def require_host(address: Address) -> None:
    """Refuses an address without a host.

    Raises:
        PydanticCustomError: With the address as it should be.
    """
    if not address.host:
        raise refuse(f"{address.text!r} names no host", f"write {address.scheme}://HOST…")
    if ":" not in address.host and not _HOST.fullmatch(address.host):
        raise refuse(f"{address.host!r} is no host name", "write a DNS name or an IP address")
    if _DOTTED.fullmatch(address.host):
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
    if not path.strip("/") or path.endswith("/"):
        raise refuse(f"{address.text!r} names no file", "write file:///DIR/NAME, or file://NAME below the media root")
    if ".." in path.split("/") or "\x00" in path or "%" in path:
        raise refuse(f"{address.text!r} is not a plain path", "write the path without .. and %")
