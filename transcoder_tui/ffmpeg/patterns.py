"""What FFmpeg's log lines mean to an operator: one table, read from top to bottom.

The lines were collected from FFmpeg 5.1.9 and 9.0.2, each fault provoked on purpose. What stands in braces in a cause
is explained at :attr:`Rule.cause`; addresses are shown without login, parameters and stream key.
"""

import re

from transcoder_tui.ffmpeg.rule import Damage, Rule, config, ends, note
from transcoder_tui.ffmpeg.side import Side
from transcoder_tui.models.event import Severity

INFO, WARNING, ERROR = Severity.INFO, Severity.WARNING, Severity.ERROR
SOURCE, OUTPUT, ENCODER, HOST, BY_LINE = Side.SOURCE, Side.OUTPUT, Side.ENCODER, Side.HOST, Side.UNKNOWN

_URL = r"(?P<url>(?:\b[a-z]{2,8}:|(?<![^\s'])/)[^\s']*[^\s':])"
_PEER = r"(?P<peer>[^/?\s]+)\S*"
_LOST = "look for packet loss, or two senders in one group"
_SLOW = "choose a faster preset or smaller pictures, or stop other channels"
_RENDITION = "change the rendition"
_OTHER_FFMPEG = "install an FFmpeg that has it, or unset TRANSCODER_FFMPEG__PATH"
_NO_GPU = "this machine has no such GPU, or no driver for it"
_SOFTWARE = "choose a software encoder"
_DIRECTORY = "look at its mount, permissions and free space"
_RTMP = "check that the server runs and knows this application, the stream key, and that nobody else publishes with it"
_LOOK_AT_TRACKS = "look at what the source carries (probe), or choose another track"
_NO_SOUND = "set audio: null in the renditions, or choose a source with sound"
_LOGIN = "write the login into the address: SCHEME://USER:PASSWORD@HOST/…"


def _missing(specifier: str) -> str:
    """The pattern of a line that says which streams an input lacks."""
    return rf"Stream (?:specifier|map) '(?:0?:)?{specifier}'.* matches no streams"


NOISE = re.compile(
    r"frames left in the queue on closing|Failed to update header with correct|start time for stream \d+ is not set"
    r"|no TS found at start of file|Codec AVOption .* has not been used|Consider increasing the value for the"
    r"|x265 \[warning\]: |^Svt\[(?:warn|info)\]: |FIFO queue flushed|need to consume packet"
    r"|Supported (?:sample rates|channel layouts):|^(?:\[[^\]]+\] )+  \S"
    r"|^  +(?:Pixel formats|src|dst): ?|Link '.*' -> '"
    r"|Could not dynamically load CUDA|hardware device context|setup failed for decoder"
    r"|Failed to open segment \d+ of playlist|KMREQ/rcv: |Failed reading RTSP data"
)
"""Lines beside others that say the same better, and warnings that ask nothing of an operator."""

CONSEQUENCE = re.compile(
    r"Task finished with error code|Terminating thread with return code|Error sending frames to consumers"
    r"|Could not open encoder before EOF|Error opening (in|out)put (file |files: )|Nothing was written"
    r"|Conversion failed|Error (writing trailer|closing file)(?!.*No space)|Error muxing a packet"
    r"|Error initializing output stream 0:\d+ -- $|Error selecting an encoder|Error binding filtergraph"
    r"|Error reinitializing filters|Error splitting the argument|Failed to inject frame|Did you mean file:"
    r"|Error while processing the decoded data|All tee outputs failed|Slave muxer #\d+ failed, aborting"
    r"|Immediate exit requested|Inappropriate ioctl for device|Cannot open connection t(cp|ls)://|Last message repeated"
    r"|Error marking filters as finished|Error parsing (global )?options|Failed to set value|Error initializing filters"
    r"|Recovery failed: |Cannot open libx26[45] encoder|Error setting profile "
)
"""Lines that only follow from another one, which says more."""

SILENT_INPUT = re.compile(r"Could not detect TS packet size")
"""Said, as a warning, when nothing or no transport stream came in while FFmpeg looked for streams."""

READ_ERROR = r"(Error opening input|Error during demuxing|^(?:\w+:)?/\S+): Input/output error"
"""What FFmpeg says of a source that timed out, and of a disk that fails."""

TIMED_OUT = re.compile(r"(?:Connection|Operation) timed out")
"""Said of a peer that does not answer, and of one that never called."""

NO_STREAMS = re.compile(r"could not find codec parameters$")
"""FFmpeg's last word, in both versions, where an input held no streams."""

SIGNALLED = re.compile(r"Exiting normally, received signal (?P<number>\d+)")
"""FFmpeg's own account of a stop."""

LISTENS = re.compile(r"[?&](?:listen\b|mode=listener)")
"""In an address: we wait to be called."""

NO_PACKETS = ends(
    SOURCE,
    r"(?:Error opening input|Error during demuxing|^\w+://\S+): (?:Input/output error|Connection timed out)",
    "no packets from {source} for 5 s",
    "check that the source is on air, its group, port and interface; what arrives must be a transport stream",
)
"""Of a source of datagrams; of any, where :data:`SILENT_INPUT` came before the end."""

NOBODY_CALLED = ends(
    BY_LINE,
    TIMED_OUT.pattern,
    "nobody has called {end}, which waits for its caller",
    "check that the other side calls this address, its passphrase or key, and the firewalls on the way",
)
"""What is meant when a listener timed out."""

OF_SOURCES: tuple[tuple[str, Rule], ...] = (
    ("udp", NO_PACKETS),
    ("rtp", NO_PACKETS),
    (
        "srt",
        ends(
            SOURCE,
            READ_ERROR,
            "the sender of {source} has left, or sends nothing any more",
            "check the sender, and the network between",
        ),
    ),
    (
        "rtmp rtmps",
        ends(
            SOURCE,
            READ_ERROR,
            "{source} is not published, or no longer, or its server refuses it",
            "check that it is on air, the application and the stream key",
        ),
    ),
    (
        "rtsp",
        ends(
            SOURCE,
            r"Invalid data found when processing input",
            "the server of {source} does not answer, or does not speak RTSP",
            "check its address and port, and the firewalls on the way",
        ),
    ),
)
"""What a line means that comes from a source with one of these schemes; asked before the table."""

RULES: tuple[Rule, ...] = (
    # The source delivers, but not well. FFmpeg goes on.
    note(
        WARNING,
        SOURCE,
        # Printed once for each packet: the first with +discardcorrupt, the second without.
        r"Packet corrupt .*dropping it|corrupt input packet in stream",
        "packets from {source} are lost or damaged",
        _LOST,
        counts=Damage.CORRUPT,
    ),
    note(
        WARNING,
        SOURCE,
        r"Packet corrupt|PES packet size mismatch",
        "packets from {source} are lost or damaged",
        _LOST,
    ),
    note(
        WARNING,
        SOURCE,
        r"RTP: missed (?P<count>\d+) packets|RCV-DROPPED (?P<count2>\d+) packet",
        "packets from {source} never arrived",
        "look for packet loss on the way, or choose a higher latency",
        counts=Damage.LOST,
    ),
    note(
        WARNING,
        BY_LINE,
        r"/SRT:.*(?:Incorrect passphrase|ERROR:BADSECRET)",
        "an SRT peer of {end} uses another passphrase",
        "write the same passphrase on both sides",
    ),
    note(
        INFO,
        SOURCE,
        r"non-existing PPS|non-existing SPS|no frame!|decode_slice_header error",
        "{source} was joined in the middle of a GOP, or packets are lost",
    ),
    note(
        WARNING,
        SOURCE,
        r"corrupt decoded frame|Error while decoding stream|Error submitting packet to decoder|Decoding error:",
        "the picture or sound of {source} is damaged",
        _LOST,
        counts=Damage.UNDECODED,
    ),
    note(
        WARNING,
        SOURCE,
        r"error while decoding|concealing \d+|Header missing|overread \d|missing picture in access unit"
        r"|\[(?:h264|hevc|mpegvideo|mp[123]float|aac_latm|libdav1d) @"
        r"|\[mpeg2video @ .*(?:damaged|[Ii]nvalid (?:mb|cbp|frame dim)|MVs not available|skipped MB|slice mismatch)"
        r"|\[aac @ .*(?:channel element|exhausted|scalefactor bands|Multiple frames|program config element)"
        r"|\[e?ac3 @ .*(?:decoding the audio block|exponent|frame sync)",
        "the picture or sound of {source} is damaged",
        _LOST,
    ),
    note(WARNING, SOURCE, r"timestamp discontinuity|DTS .*out of order", "{source} was restarted or switched"),
    note(WARNING, SOURCE, r"Non-monoton(ous|ic) DTS", "the timestamps of {source} jump back"),
    note(
        WARNING,
        SOURCE,
        r"More than \d+ frames duplicated",
        "many frames are repeated",
        "check the frame rate of {source} and of the renditions",
    ),
    note(INFO, SOURCE, r"Reconfiguring filter graph", "{source} changed its picture size or format"),
    note(WARNING, SOURCE, r"Failed to reload playlist", "the playlist of {source} can no longer be read"),
    note(
        WARNING,
        SOURCE,
        r"Segment \d+ of playlist \d+ failed too many times",
        "segments of {source} cannot be fetched, and are left out",
        "look at its server",
    ),
    note(WARNING, SOURCE, r"Will reconnect at", "{source} closed the connection; FFmpeg connects again", goes_on=True),
    note(
        WARNING,
        SOURCE,
        r"Stream ends prematurely",
        "{source} closed the connection",
        "look at its server, and at the network between",
    ),
    # An output is not well. FFmpeg goes on.
    note(
        WARNING,
        OUTPUT,
        r"\[fifo @ .*Error opening (?P<url>srt://\S*mode=listener\S*): Connection timed out",
        "nobody has called {url} yet; it goes on waiting, and so do the other outputs",
        "check that the receiver calls this address, its passphrase, and the firewalls on the way",
        goes_on=True,
    ),
    note(
        WARNING,
        OUTPUT,
        r"\[fifo @ .*Error (?:opening|writing to) (?P<url>(?:file:)?/[^\s':]+)",
        "{url} cannot be written, and is tried again every 2 s; the other outputs go on",
        _DIRECTORY,
        goes_on=True,
    ),
    note(
        WARNING,
        OUTPUT,
        rf"\[fifo @ .*Error (?:opening|writing to) {_URL}",
        "{url} is down and tried again every 2 s{because}; the other outputs go on",
        "check that the server runs and accepts this stream key",
        goes_on=True,
    ),
    note(INFO, OUTPUT, r"\[fifo @ .*Recovery successful", "an output is back", goes_on=True),
    note(
        WARNING,
        OUTPUT,
        r"\[fifo @ .*FIFO queue full",
        "an output takes nothing at present: what should go to it is dropped; the other outputs go on",
        "look at the server that it goes to, and at the network between",
    ),
    note(
        ERROR,
        OUTPUT,
        r"Slave muxer #\d+ failed: (?P<why>.*), continuing with",
        "{output} was lost: {why}; the other outputs go on",
        "restart the channel once its cause is gone",
        goes_on=True,
    ),
    note(
        ERROR,
        OUTPUT,
        r"dts < pcr, TS is invalid",
        "the transport stream does not fit into its muxrate",
        "raise the muxrate, or lower the bitrates",
    ),
    note(
        INFO,
        OUTPUT,
        r"is muxed as a private data stream",
        "an output carries a stream that receivers may not recognise",
        "choose another codec, or leave the stream out",
    ),
    note(WARNING, HOST, r"Packets poorly interleaved", "picture and sound come far apart", "choose a faster preset"),
    note(
        WARNING,
        ENCODER,
        r"maxrate specified, but no bufsize|> level limit|Too many bits .*clamping to max|Incompatible pixel format"
        r"|Unknown channel mapping family",
        "the encoder changed an unsuitable setting",
        _RENDITION,
    ),
    note(
        WARNING,
        ENCODER,
        r"lib(?:x264|x265|svtav1).*(?:Error parsing option (?!'\w+' with)|Unknown option: )(?P<what>[^\s.:']+|'[^'=]+)",
        "the encoder does not know one of its extra options, and leaves it out",
        "correct the extra encoder options of the rendition",
    ),
    # The machine is too slow.
    note(
        ERROR,
        HOST,
        r"Circular buffer overrun\. Surviving",
        "packets from {source} were dropped because this machine is too slow",
        _SLOW,
        counts=Damage.OVERRUN,
    ),
    ends(HOST, r"Circular buffer overrun", "this machine is too slow for {source}", _SLOW),
    note(WARNING, HOST, r"Resumed reading at pts", "this machine is too slow for {source}", _SLOW),
    # What this FFmpeg or this machine cannot do; trying again does not help.
    config(
        HOST,
        r"Unrecognized option '(?P<what>[^']*)'|Option '?(?P<what2>\w+)'? not found|: Option not found"
        r"|Some of the provided format options are not recognized",
        "this FFmpeg does not know an option that the channel needs",
        "use FFmpeg 4.4 or newer: set or unset TRANSCODER_FFMPEG__PATH",
    ),
    config(ENCODER, r"Unknown encoder '(?P<what>[^']*)'", "this FFmpeg has no encoder {what}", _OTHER_FFMPEG),
    config(ENCODER, r"No such filter: '(?P<what>[^']*)'", "this FFmpeg has no filter {what}", _OTHER_FFMPEG),
    config(
        OUTPUT,
        r"Requested output format '(?P<what>[^']*)' is not",
        "this FFmpeg has no container {what}",
        _OTHER_FFMPEG,
    ),
    config(
        SOURCE,
        r"Protocol '(?P<what>\w+)' not on whitelist|URL (?P<what2>\w+):\S* is not in allowed_segment_extensions",
        "a playlist or redirection led to {what}:, which is not allowed",
        "check what {source} refers to",
    ),
    config(
        BY_LINE,
        r"Protocol not found",
        "this FFmpeg cannot speak the protocol of {end}",
        "install an FFmpeg that can, or unset TRANSCODER_FFMPEG__PATH",
    ),
    config(
        ENCODER,
        r"Cannot load libcuda|MFX session|No VA display|VK_KHR_video_encode_queue|libamfrt64"
        r"|VK_ERROR_INCOMPATIBLE_DRIVER|Device creation failed|No device available for decoder",
        _NO_GPU,
        _SOFTWARE,
    ),
    # What the encoder refuses.
    config(
        ENCODER,
        r"not divisible by 2|must be an integer multiple of the specified chroma|(?:Width|Height) must be even",
        "the picture's width and height must be even",
        "change the size of the rendition",
    ),
    config(
        ENCODER,
        r"(?:Width|Height) must be at least (?P<least>\d+)",
        "this encoder takes pictures from {least} pixels on",
        "change the size of the rendition",
    ),
    config(
        ENCODER,
        r"not allowed to be multiples of \d+|picture dimensions are out of range|Picture size \S+ is invalid",
        "the encoder does not take pictures of this size",
        "change the size of the rendition, or its level",
    ),
    config(
        ENCODER,
        r"doesn't support a bit depth|profile not supported|doesn't support 4:2:2|[Ii]nvalid profile|unknown profile"
        r"|Invalid or incompatible profile|Profile not supported",
        "the encoder does not take this profile with this kind of picture or sound",
        "change the profile of the rendition, or its bit depth",
    ),
    config(
        ENCODER,
        r"invalid (?:preset|tune) '|Error setting preset/tune ",
        "the encoder does not know this preset or tune",
        _RENDITION,
    ),
    config(
        ENCODER,
        r"VBV buffer too small|bitrate above max bitrate|Max Bitrate must be greater|target bit rate must be between"
        r"|(?:Max Bitrate only|CBR Rate control is currently not) supported",
        "the encoder does not take this bitrate with this maximum and buffer",
        "change the bitrate of the rendition, or its rate control",
    ),
    config(
        ENCODER,
        r"bitrate (?P<rate>\d+) is not allowed|invalid bit rate|bit rate \d+ bps is unsupported",
        "the audio encoder does not take this bitrate",
        "choose another audio bitrate for the rendition",
    ),
    config(
        ENCODER,
        r"Specified sample rate (?P<rate>\d+) is not supported",
        "this kind of sound cannot have this sample rate",
        "choose 48000 Hz, or another audio codec",
    ),
    config(
        ENCODER,
        r"Specified channel layout '(?P<layout>[^']+)' is not supported",
        "the audio encoder does not take the channels {layout}",
        "choose stereo, or another audio codec",
    ),
    config(
        ENCODER,
        r"Failed to create encoder: |Invalid frame duration|Value \S+ for parameter '\w+' out of range"
        r"|Error parsing option '\w+' with value",
        "the encoder or a filter does not accept one of its settings",
        _RENDITION,
    ),
    config(
        ENCODER,
        r"Impossible to convert between the formats",
        "the encoder does not take the picture as the filters make it",
        _SOFTWARE,
    ),
    # Logos and texts.
    config(
        ENCODER,
        r"Cannot find a valid font|Could not load font|could not be loaded|Cannot load default config file",
        "the font of a text cannot be found",
        "install a font (fonts-dejavu-core), or name another one",
    ),
    config(
        ENCODER,
        r"The text file '(?P<path>[^']+)' could not be read|Cannot read file '(?P<file>[^']+)'",
        "the file with the text to burn in cannot be read",
        "look at its path and permissions",
    ),
    ends(
        ENCODER,
        r"Failed to avformat_open_input '(?P<path>[^']+)'|Invalid PNG signature"
        r"|\.(?:png|jpe?g): (?:No such file|Permission denied)|\[in#[1-9].*(?:No such file|Permission denied)",
        "the picture of the logo cannot be read",
        "correct its path; it must be a PNG or JPEG file",
    ),
    # What an output's container does not take.
    config(
        OUTPUT,
        r"not compatible with flv|incompatible with output codec id|Could not find tag for codec",
        "an output's container does not take this codec",
        "choose another codec or another kind of output",
    ),
    config(
        OUTPUT,
        r"Malformed AAC bitstream detected",
        "the copied sound is AAC as transport streams have it, which MP4 does not take",
        "encode the sound (codec: aac), or choose HLS with TS segments or a .ts file",
    ),
    config(
        OUTPUT,
        r"Invalid segment filename template",
        "the names of segments do not differ",
        "write %d or a time in them",
    ),
    ends(
        OUTPUT,
        r"error (?:opening|reading) key (?:info )?file (?P<path>\S+)",
        "the key that encrypts an HLS output cannot be read",
        "look at the key's file: 16 bytes, and readable",
    ),
    config(
        BY_LINE,
        r"Unable to parse (\"\w+\" )?option value|Error (setting|applying) (option|encoder options)|Undefined constant",
        "FFmpeg does not accept one of the channel's values",
        "look at the line above in the channel's log",
    ),
    config(BY_LINE, r"SRTO_PASSPHRASE", "the SRT passphrase is not accepted", "write 10 to 64 characters"),
    ends(
        BY_LINE,
        r"rejecting per enforced encryption",
        "a caller of {end} came with another passphrase",
        "write the same passphrase on both sides",
    ),
    # What the source does not hold.
    ends(
        SOURCE,
        r"Format not on whitelist",
        "what arrives from {source} is no transport stream",
        "check its address; udp://, rtp://, srt:// and http:// sources are MPEG transport streams, and HLS is made of "
        "those, of MP4 or of plain AAC, AC-3 or MP3",
    ),
    ends(
        SOURCE,
        _missing(r"p:(?P<program>\d+):a:m:language:(?P<language>\w+)"),
        "{source} has no sound in the language {language} in its program {program}",
        _LOOK_AT_TRACKS,
    ),
    ends(
        SOURCE,
        _missing(r"a:m:language:(?P<language>\w+)"),
        "{source} has no sound in the language {language}",
        _LOOK_AT_TRACKS,
    ),
    ends(SOURCE, _missing(r"i:(?P<pid>\w+)"), "{source} has no stream with PID {pid}", "look at its streams (probe)"),
    ends(
        SOURCE,
        _missing(r"(?:p:\d+:)?a:[1-9]\d*"),
        "{source} has fewer sound tracks than the channel asks for",
        _LOOK_AT_TRACKS,
    ),
    ends(
        SOURCE,
        _missing(r"p:(?P<program>\d+):a:0"),
        "{source} has no sound in its program {program}",
        _NO_SOUND,
    ),
    ends(
        SOURCE,
        rf"No program with ID \d+|{_missing(r'p:[^:]+.*?')}",
        "{source} does not carry the chosen program",
        "look at what the source carries (probe)",
    ),
    ends(
        SOURCE,
        r"Stream specifier ':a[^']*'.* matches no streams",
        "{source} has no sound",
        _NO_SOUND,
    ),
    ends(
        SOURCE, r"Stream specifier ':v[^']*'.* matches no streams", "{source} has no picture", "choose another source"
    ),
    ends(
        SOURCE,
        r"Stream map '.*' matches no streams",
        "{source} does not carry the chosen program or track",
        "look at what the source carries (probe)",
    ),
    ends(
        SOURCE,
        r"Impossible to open '(?P<path>[^']+)'",
        "a file of the playlist cannot be read",
        "look which files of {source} are there",
    ),
    config(
        SOURCE,
        r"Unsafe file name '(?P<path>[^']+)'|Line \d+: unknown keyword",
        "the playlist {source} holds something that is not allowed",
        "write the files of the playlist as sources of the channel",
    ),
    ends(
        SOURCE,
        r"Unable to open key file",
        "the key of {source}, which is encrypted, cannot be fetched",
        "check the login or token, and the server of the key",
    ),
    ends(
        SOURCE,
        r"Error when loading first segment",
        "the playlist of {source} is there, but its segments are not",
        "look at its server",
    ),
    ends(
        SOURCE,
        r"moov atom not found|Unable to parse '\S+' - wrong root node",
        "{source} is cut off, or not what its name says",
        "check that it was copied whole, and its address",
    ),
    ends(
        SOURCE,
        r"Cannot determine format of input (?:stream )?\d+:\d+ after EOF|Decode error rate \S+ exceeds maximum",
        "nothing of {source} could be decoded",
        "check that it is not scrambled or damaged",
    ),
    # Interfaces, ports and routes.
    ends(
        SOURCE,
        r"IP_ADD_MEMBERSHIP\): No such device",
        "the group of {source} cannot be joined: no such interface, and no route for multicast",
        "set the interface of the source",
    ),
    ends(
        BY_LINE,
        r"bind failed: Cannot assign requested address|: Cannot assign requested address",
        "the interface address of {end} is gone from this host",
        "look at the host's interfaces, or choose another interface",
    ),
    ends(
        BY_LINE,
        r"Address already in use|unable to create/configure SRT socket",
        "the port of {end} is taken by another program on this host",
        "choose another port, or stop the program that holds it",
    ),
    ends(BY_LINE, r"bind failed: Permission denied", "ports below 1024 need privileges", "choose a port from 1024 on"),
    ends(
        BY_LINE,
        r"Network is unreachable|No route to host",
        "there is no route to {end}",
        "look at the host's interfaces and routes",
    ),
    # Servers and peers.
    ends(
        BY_LINE,
        r"Failed to resolve hostname (?P<host>[^:\s]+)|getaddrinfo\((?P<host2>[^,\s]+), \w+\): ",
        "the name {host} cannot be resolved",
        "correct the name, or look at the host's DNS",
    ),
    ends(
        BY_LINE,
        rf"Connection to tcp://{_PEER} failed: Connection refused",
        "the server at {peer} refused the connection",
        "check that it runs and listens on this port",
    ),
    ends(
        BY_LINE,
        rf"Connection to tcp://{_PEER} failed: (?:Connection|Operation) timed out",
        "the server at {peer} does not answer",
        "check that it runs, and the firewalls on the way",
    ),
    ends(
        BY_LINE,
        rf"Connection to srt://{_PEER} failed",
        "no SRT connection to {peer}: no listener, another passphrase, or a firewall",
        "check the listener, its passphrase and UDP on the way",
    ),
    ends(
        OUTPUT,
        r"(?P<url>\brtmps?://\S+): Input/output error",
        "the server of {url} refuses the stream",
        _RTMP,
    ),
    ends(
        BY_LINE,
        r"Cannot read RTMP handshake response|Server response validating failed",
        "the server of {end} does not speak RTMP, or closed the connection",
        "check its address and port, and that it is an RTMP server",
    ),
    ends(BY_LINE, r"\[rtmps? @ .*Server error: (?P<why>.+)", "the server of {end} refuses: {why}", _RTMP),
    ends(SOURCE, r"Server returned 401|HTTP error 401|method \w+ failed: 401", "{source} wants a login", _LOGIN),
    ends(
        SOURCE,
        r"Server returned 403|HTTP error 403|method \w+ failed: 403",
        "{source} refuses access",
        "check the login or token",
    ),
    ends(
        SOURCE,
        r"Server returned 404|HTTP error 404|method \w+ failed: 404",
        "{source} does not exist on its server",
        "correct the path",
    ),
    ends(
        SOURCE,
        r"Server returned 4|HTTP error 4|method \w+ failed: 4",
        "the server of {source} refuses the request",
        "correct the address",
    ),
    ends(
        SOURCE,
        r"Server returned 5|HTTP error 5|method \w+ failed: 5",
        "the server of {source} has a fault",
        "look at the server",
    ),
    ends(
        BY_LINE,
        r"certificate verify failed|certificate verification failed|Peer certificate failed",
        "the TLS certificate of {end} is not trusted",
        "renew it, or add its authority to this host's trust store",
    ),
    ends(
        BY_LINE,
        r"An unexpected TLS packet was received|SSL routines::wrong version number",
        "the server of {end} does not speak TLS on this port",
        "correct the port, or write the scheme without the s",
    ),
    ends(
        BY_LINE,
        r"Broken pipe|Connection reset by peer",
        "the remote end of {end} closed the connection",
        "check the server, the stream key, and that nobody else publishes with it",
    ),
    ends(
        OUTPUT,
        # Of UDP, whose queue for pacing is full.
        r"(?:av_interleaved_write_frame\(\)|Error submitting a packet to the muxer): Cannot allocate memory",
        "{output} could not be sent in time: more came than its muxrate holds, or this machine is too slow",
        "raise the muxrate, or choose a faster preset or smaller pictures, or stop other channels",
    ),
    # Disks and files.
    ends(HOST, r"No space left on device", "the disk of {output} is full", "free space on it"),
    ends(HOST, r"Read-only file system", "the disk of {output} is read-only", "look at the mount and the kernel's log"),
    ends(
        OUTPUT,
        r"Failed to open file '|failed to rename file|Failed to open segment '|Failure occurred when ending segment"
        r"|(?:Could not write header|error writing header).*: (?:No such file or directory|Permission denied)",
        "{output} cannot be written: its directory is gone, full or closed to us",
        _DIRECTORY,
    ),
    ends(
        SOURCE,
        r"Error (?:opening input|during demuxing): No such file or directory",
        "{source} does not exist",
        "correct the path",
    ),
    ends(SOURCE, r"Error opening input: Permission denied", "{source} may not be read", "correct its permissions"),
    ends(SOURCE, r"Error opening input: Is a directory", "{source} is a directory", "name a file"),
    ends(
        OUTPUT,
        r"(?:av_interleaved_write_frame\(\)|Error submitting a packet to the muxer): Permission denied",
        "{output} may not be sent to",
        "look at the address and at the host's firewall",
    ),
    ends(
        BY_LINE, rf"{_URL}: No such file or directory", "{url} does not exist", "correct the path, or look at the mount"
    ),
    ends(BY_LINE, rf"{_URL}: Permission denied", "{url} may not be opened", "correct its permissions"),
    ends(
        OUTPUT,
        rf"Slave '.*\]{_URL}': error opening: (?P<why>.+)",
        "{url} cannot be opened: {why}",
        "look at the line above in the channel's log",
    ),
    ends(BY_LINE, rf"{_URL}: Is a directory", "{url} is a directory", "name a file"),
    # What is left.
    ends(
        BY_LINE,
        r"Connection refused",
        "the server of {end} refused the connection",
        "check that it runs and listens on this port",
    ),
    ends(BY_LINE, TIMED_OUT.pattern, "{end} does not answer", "check that it runs, and the firewalls on the way"),
    ends(
        SOURCE,
        NO_STREAMS.pattern,
        "{source} delivers no picture and sound that can be recognised",
        "check that it carries a program, and that it is not scrambled",
    ),
    note(
        WARNING,
        SOURCE,
        r"Could not find codec parameters for stream",
        "a stream of {source} was not recognised",
        "check that it is not scrambled",
    ),
    ends(
        SOURCE,
        r"Invalid data found when processing input",
        "{source} is neither picture nor sound that FFmpeg can read",
        "check that it is media, and that it is not scrambled",
        vague=True,
    ),
    config(
        ENCODER,
        r"Error while opening encoder|Error setting encoder parameters",
        "the encoder does not accept its settings",
        _RENDITION,
        vague=True,
    ),
    config(
        ENCODER,
        r"Failed to configure (?:in|out)put pad|Error initializing (?:complex )?filter",
        "a filter does not accept its settings or the picture",
        _RENDITION,
        vague=True,
    ),
    ends(BY_LINE, READ_ERROR, "{end} cannot be opened or read", "check that it is there, and its address", vague=True),
    ends(
        OUTPUT,
        r"(?:Could not write header|av_interleaved_write_frame|Error submitting a packet to the muxer).*: (?P<why>.+)",
        "{output} cannot be written: {why}",
        "look at the lines above in the channel's log",
        vague=True,
    ),
    ends(
        BY_LINE,
        r"Error opening (?:in|out)put.*: (?P<why>.+)",
        "{end} cannot be opened: {why}",
        "look at the lines above in the channel's log",
        vague=True,
    ),
)
"""The table. The first rule whose pattern is found in a line tells what the line means."""
