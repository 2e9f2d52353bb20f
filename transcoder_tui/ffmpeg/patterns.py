"""What FFmpeg's log lines mean to an operator: one table, read from top to bottom.

The lines were collected from FFmpeg 5.1.9 and 9.0.2, each fault provoked on purpose. ``{source}`` in a cause stands
for the address of the channel's source; other braces are groups of the pattern, addresses without their parameters.
"""

import re
from dataclasses import dataclass

from transcoder_tui.ffmpeg.side import Side
from transcoder_tui.models.event import Severity

INFO, WARNING, ERROR = Severity.INFO, Severity.WARNING, Severity.ERROR
SOURCE, OUTPUT, ENCODER, HOST, BY_LINE = Side.SOURCE, Side.OUTPUT, Side.ENCODER, Side.HOST, Side.UNKNOWN


@dataclass(frozen=True)
class Rule:
    """One kind of line and what it means."""

    pattern: re.Pattern[str]
    side: Side
    """Whose fault it is; unknown where the line that fits, or one that follows it, tells."""
    cause: str
    """What happened, in the operator's words."""
    remedy: str = ""
    """What would help."""
    severity: Severity = ERROR
    heals: bool = True
    """Whether trying again can help."""
    fatal: bool = False
    """Whether FFmpeg ends because of it."""
    goes_on: bool = False
    """Whether it says that FFmpeg survives what the lines before it said."""


def _ends(side: Side, pattern: str, cause: str, remedy: str = "") -> Rule:
    return Rule(re.compile(pattern), side, cause, remedy, fatal=True)


def _config(side: Side, pattern: str, cause: str, remedy: str = "") -> Rule:
    return Rule(re.compile(pattern), side, cause, remedy, heals=False, fatal=True)


def _note(severity: Severity, side: Side, pattern: str, cause: str, remedy: str = "", goes_on: bool = False) -> Rule:
    return Rule(re.compile(pattern), side, cause, remedy, severity, goes_on=goes_on)


_URL = r"(?P<url>\b[a-z]{2,8}:[^\s']*[^\s':])"
_PEER = r"(?P<peer>[^/?\s]+)\S*"

CONSEQUENCE = re.compile(
    r"Task finished with error code|Terminating thread with return code|Error sending frames to consumers"
    r"|Could not open encoder before EOF|Error opening (in|out)put (file |files: )|Nothing was written"
    r"|Conversion failed|Error (writing trailer|closing file)|Error muxing a packet|Error initializing output stream"
    r"|Error selecting an encoder|Error binding filtergraph|Error reinitializing filters|Error splitting the argument"
    r"|Failed to inject frame|Error while processing the decoded data|Did you mean file:|All tee outputs failed"
    r"|Slave muxer #\d+ failed, aborting|Immediate exit requested|Inappropriate ioctl for device"
    r"|Cannot open connection t(cp|ls)://|Last message repeated"
)
"""Lines that only follow from another one, which says more."""

SILENT_INPUT = re.compile(r"Could not detect TS packet size")
"""Said, as a warning, when nothing or no transport stream came in while FFmpeg looked for streams."""

NO_PACKETS = Rule(
    SILENT_INPUT,
    SOURCE,
    "no packets from {source} for 5 s",
    "check that the source is on air, its group, port and interface; what arrives must be a transport stream",
    fatal=True,
)
"""What is meant when :data:`SILENT_INPUT` came before the end, or a UDP source gave :data:`READ_ERROR`."""

READ_ERROR = re.compile(r"(Error opening input|Error during demuxing|://\S+): Input/output error")
"""What FFmpeg says of a source that timed out, and of a disk that fails."""

NO_STREAMS = re.compile(r"could not find codec parameters$")
"""FFmpeg's last word, in both versions, where an input held no streams."""

SIGNALLED = re.compile(r"Exiting normally, received signal (?P<number>\d+)")
"""FFmpeg's own account of a stop."""

RULES: tuple[Rule, ...] = (
    # The source delivers, but not well. FFmpeg goes on.
    _note(
        WARNING,
        SOURCE,
        r"Packet corrupt|corrupt input packet in stream|PES packet size mismatch",
        "packets from {source} are lost or damaged",
        "look for packet loss, or two senders in one group",
    ),
    _note(
        INFO,
        SOURCE,
        r"non-existing PPS|non-existing SPS|no frame!|decode_slice_header error",
        "{source} was joined in the middle of a GOP, or packets are lost",
    ),
    _note(
        WARNING,
        SOURCE,
        r"error while decoding|concealing \d+|corrupt decoded frame|Header missing|Error while decoding stream"
        r"|Error submitting packet to decoder",
        "the picture or sound of {source} is damaged",
        "look for packet loss, or two senders in one group",
    ),
    _note(WARNING, SOURCE, r"timestamp discontinuity|DTS .*out of order", "{source} was restarted or switched"),
    _note(WARNING, SOURCE, r"Non-monoton(ous|ic) DTS", "the timestamps of {source} jump back"),
    _note(
        WARNING,
        SOURCE,
        r"More than \d+ frames duplicated",
        "many frames are repeated",
        "check the frame rate of {source} and of the renditions",
    ),
    _note(INFO, SOURCE, r"Reconfiguring filter graph", "{source} changed its picture size or format"),
    _note(WARNING, SOURCE, r"Failed to reload playlist", "the playlist of {source} can no longer be read"),
    _note(WARNING, SOURCE, r"Will reconnect at", "{source} closed the connection; FFmpeg connects again", goes_on=True),
    # An output is not well. FFmpeg goes on.
    _note(
        WARNING,
        OUTPUT,
        rf"\[fifo @ .*Error (?:opening|writing to) {_URL}",
        "{url} is down and tried again every 2 s; the other outputs go on",
        "check that the server runs and accepts this stream key",
        goes_on=True,
    ),
    _note(
        ERROR,
        OUTPUT,
        r"Slave muxer #\d+ failed: .*, continuing with",
        "one output was lost; the other outputs go on",
        "restart the channel once its cause is gone",
        goes_on=True,
    ),
    _note(
        ERROR,
        OUTPUT,
        r"dts < pcr, TS is invalid",
        "the transport stream does not fit into its muxrate",
        "raise the muxrate, or lower the bitrates",
    ),
    _note(WARNING, HOST, r"Packets poorly interleaved", "picture and sound come far apart", "choose a faster preset"),
    _note(
        WARNING,
        ENCODER,
        r"maxrate specified, but no bufsize|> level limit",
        "the encoder changed an unsuitable setting",
    ),
    # The machine is too slow.
    _note(
        ERROR,
        HOST,
        r"Circular buffer overrun\. Surviving",
        "packets from {source} were dropped because this machine is too slow",
        "choose a faster preset or smaller pictures, or stop other channels",
    ),
    _ends(
        HOST,
        r"Circular buffer overrun",
        "this machine is too slow for {source}",
        "choose a faster preset or smaller pictures, or stop other channels",
    ),
    _note(
        WARNING,
        HOST,
        r"Resumed reading at pts",
        "this machine is too slow for {source}",
        "choose a faster preset or smaller pictures, or stop other channels",
    ),
    # What this FFmpeg cannot do; trying again does not help.
    _config(
        HOST,
        r"Unrecognized option '(?P<what>[^']*)'|Option '?(?P<other>\w+)'? not found",
        "this FFmpeg does not know an option that the channel needs",
        "use FFmpeg 4.4 or newer: set or unset TRANSCODER_FFMPEG__PATH",
    ),
    _config(
        ENCODER,
        r"Unknown encoder '(?P<what>[^']*)'",
        "this FFmpeg has no encoder {what}",
        "install an FFmpeg that has it, or unset TRANSCODER_FFMPEG__PATH",
    ),
    _config(
        ENCODER,
        r"No such filter: '(?P<what>[^']*)'",
        "this FFmpeg has no filter {what}",
        "install an FFmpeg that has it, or unset TRANSCODER_FFMPEG__PATH",
    ),
    _config(
        SOURCE,
        r"Protocol '(?P<what>\w+)' not on whitelist",
        "a playlist or redirection led to {what}:, which is not allowed",
        "check what {source} refers to",
    ),
    _config(
        BY_LINE,
        r"Protocol not found",
        "this FFmpeg cannot speak the protocol of {source} or of an output",
        "install an FFmpeg that can, or unset TRANSCODER_FFMPEG__PATH",
    ),
    _config(
        ENCODER,
        r"Cannot load libcuda|MFX session|No VA display|VK_KHR_video_encode_queue|libamfrt64",
        "this machine has no such GPU, or no driver for it",
        "choose a software encoder",
    ),
    _config(
        ENCODER,
        r"not divisible by 2|doesn't support a bit depth|doesn't support 4:2:2|VBV buffer too small|invalid preset",
        "the encoder does not accept its settings",
        "change the rendition",
    ),
    _config(
        OUTPUT,
        r"not compatible with flv|incompatible with output codec id|Could not find tag for codec",
        "an output's container does not take this codec",
        "choose another codec or another kind of output",
    ),
    _config(
        BY_LINE,
        r"Unable to parse option value|Error (setting|applying) (option|encoder options)|Undefined constant or missing",
        "FFmpeg does not accept one of the channel's values",
        "look at the line above in the channel's log",
    ),
    _config(BY_LINE, r"SRTO_PASSPHRASE", "the SRT passphrase is not accepted", "write 10 to 64 characters"),
    # What the source does not hold.
    _ends(
        SOURCE,
        r"Format not on whitelist",
        "what arrives from {source} is no transport stream",
        "check its address; udp://, srt:// and http:// sources are MPEG transport streams",
    ),
    _ends(
        SOURCE,
        r"Stream specifier ':a[^']*'.* matches no streams",
        "{source} has no sound",
        "set audio: null in the renditions, or choose a source with sound",
    ),
    _ends(
        SOURCE, r"Stream specifier ':v[^']*'.* matches no streams", "{source} has no picture", "choose another source"
    ),
    _ends(
        SOURCE,
        r"Stream map '.*' matches no streams|No program with ID",
        "{source} does not carry the chosen programme or track",
        "look at what the source carries",
    ),
    # Interfaces, ports and routes.
    _ends(
        SOURCE,
        r"IP_ADD_MEMBERSHIP\): No such device",
        "the group of {source} cannot be joined: no such interface, and no route for multicast",
        "set the interface of the source",
    ),
    _ends(
        BY_LINE,
        r"bind failed: Cannot assign requested address|: Cannot assign requested address",
        "the address of an interface is gone from this host",
        "look at the host's interfaces, or choose another interface",
    ),
    _ends(
        BY_LINE,
        r"Address already in use",
        "the port is taken by another program on this host",
        "choose another port, or stop the program that holds it",
    ),
    _ends(BY_LINE, r"bind failed: Permission denied", "ports below 1024 need privileges", "choose a port from 1024 on"),
    _ends(
        BY_LINE,
        r"Network is unreachable|No route to host",
        "there is no route to {source} or to an output",
        "look at the host's interfaces and routes",
    ),
    # Servers and peers.
    _ends(
        BY_LINE,
        r"Failed to resolve hostname (?P<host>[^:\s]+)",
        "the name {host} cannot be resolved",
        "correct the name, or look at the host's DNS",
    ),
    _ends(
        BY_LINE,
        rf"Connection to tcp://{_PEER} failed: Connection refused",
        "the server at {peer} refused the connection",
        "check that it runs and listens on this port",
    ),
    _ends(
        BY_LINE,
        rf"Connection to tcp://{_PEER} failed: (?:Connection|Operation) timed out",
        "the server at {peer} does not answer",
        "check that it runs, and the firewalls on the way",
    ),
    _ends(
        BY_LINE,
        rf"Connection to srt://{_PEER} failed",
        "no SRT connection to {peer}: no listener, another passphrase, or a firewall",
        "check the listener, its passphrase and UDP on the way",
    ),
    _ends(
        SOURCE,
        r"Server returned 401|HTTP error 401",
        "{source} wants a login",
        "write it as http://USER:PASSWORD@HOST/…",
    ),
    _ends(SOURCE, r"Server returned 403|HTTP error 403", "{source} refuses access", "check the login or token"),
    _ends(SOURCE, r"Server returned 404|HTTP error 404", "{source} does not exist on its server", "correct the path"),
    _ends(
        SOURCE, r"Server returned 4|HTTP error 4", "the server of {source} refuses the request", "correct the address"
    ),
    _ends(SOURCE, r"Server returned 5|HTTP error 5", "the server of {source} has a fault", "look at the server"),
    _ends(
        BY_LINE,
        r"certificate verify failed|certificate verification failed|Peer certificate failed",
        "the TLS certificate of the server is not trusted",
        "renew it, or add its authority to this host's trust store",
    ),
    _ends(
        BY_LINE,
        r"Broken pipe|Connection reset by peer",
        "the remote end closed the connection",
        "check the stream key, and that nobody else publishes with it",
    ),
    # Disks and files.
    _ends(HOST, r"No space left on device", "the disk is full", "free space where the outputs are written"),
    _ends(HOST, r"Read-only file system", "an output's disk is read-only", "look at the mount and the kernel's log"),
    _ends(
        OUTPUT,
        r"Failed to open file '(?P<path>[^']+)'|failed to rename file (?P<file>\S+) to",
        "an HLS directory is gone or cannot be written",
        "look at the HLS root's mount, permissions and free space",
    ),
    _ends(
        OUTPUT,
        r"Could not write header.*: (No such file or directory|Permission denied)",
        "the directory of an output is missing or cannot be written",
        "look at its mount and permissions",
    ),
    _ends(SOURCE, r"Error opening input: No such file or directory", "{source} does not exist", "correct the path"),
    _ends(SOURCE, r"Error opening input: Permission denied", "{source} may not be read", "correct its permissions"),
    _ends(
        BY_LINE, rf"{_URL}: No such file or directory", "{url} does not exist", "correct the path, or look at the mount"
    ),
    _ends(BY_LINE, rf"{_URL}: Permission denied", "{url} may not be opened", "correct its permissions"),
    _ends(
        OUTPUT,
        rf"Slave '.*\]{_URL}': error opening: (?P<why>.+)",
        "{url} cannot be opened: {why}",
        "look at the line above in the channel's log",
    ),
    _ends(BY_LINE, rf"{_URL}: Is a directory", "{url} is a directory", "name a file"),
    # What is left to the source.
    _ends(
        BY_LINE,
        r"(?:Connection|Operation) timed out",
        "{source} or the server of an output does not answer",
        "check that it runs, and the firewalls on the way",
    ),
    _ends(
        SOURCE,
        NO_STREAMS.pattern,
        "{source} delivers no picture and sound that can be recognised",
        "check that it carries a programme, and that it is not scrambled",
    ),
    _note(
        WARNING,
        SOURCE,
        r"Could not find codec parameters for stream",
        "a stream of {source} was not recognised",
        "check that it is not scrambled",
    ),
    _ends(
        SOURCE,
        r"Invalid data found when processing input",
        "{source} is neither picture nor sound that FFmpeg can read",
        "check that it is media, and that it is not scrambled",
    ),
    _ends(SOURCE, r"Error (opening input|during demuxing): End of file|: End of file$", "{source} ended"),
    _ends(
        BY_LINE,
        READ_ERROR.pattern,
        "{source} cannot be read",
        "check that it is on air, and its address",
    ),
)
"""The table. The first rule whose pattern is found in a line tells what the line means."""
