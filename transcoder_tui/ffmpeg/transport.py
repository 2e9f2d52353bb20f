"""Transport streams at a constant rate: over UDP, RTP and SRT."""

from collections.abc import Sequence

from transcoder_tui.ffmpeg import tee
from transcoder_tui.ffmpeg.destination import MUX_DELAY_US, NETWORK_TIMEOUT_US, RECOVERY, Destination, Job
from transcoder_tui.ffmpeg.plan import Plan
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.output import PMT_PID, VIDEO_PID

PROVIDER = "transcoder-tui"
"""Service provider in the SDT where the outputs do not say."""
TTL = 16
"""Routers that a multicast may cross where the output does not say."""
DATAGRAM = 1316
"""Bytes: seven transport stream packets, what receivers and DVB-IP (ETSI TS 102 034) expect."""
STREAMS = 0x80
"""More streams than one output carries."""
RTP_HEADER = 12
"""Bytes of each RTP packet before its payload (RFC 3550); FFmpeg counts them as part of a packet."""
SRT_LATENCY_MS = 120
"""Milliseconds; libsrt's own default (SRTO_LATENCY)."""


def udp(job: Job) -> Destination:
    """Multicast or unicast over UDP, paced."""
    return Destination(
        muxer="mpegts",
        url=_paced(job, DATAGRAM),
        streams=job.streams,
        protocols="udp",
        options=_mpegts(job),
    )


def rtp(job: Job) -> Destination:
    """The same in RTP packets (RFC 2250), over FFmpeg's UDP: its RTP protocol cannot pace them."""
    return Destination(
        muxer="rtp_mpegts",
        url=_paced(job, RTP_HEADER + DATAGRAM),
        streams=job.streams,
        protocols="udp",
        options={
            "mpegts_muxer_options": tee.option_list(_mpegts(job)),
            # Sender reports would go to the port of the stream itself.
            "rtp_muxer_options": "rtpflags=skip_rtcp",
            "max_delay": str(MUX_DELAY_US),
        },
    )


def srt(job: Job) -> Destination:
    """SRT, as caller or listener; a listener serves one peer at a time."""
    address = job.output.address
    given = address.query
    listens = given.get("mode") == "listener"
    query = {
        "mode": "listener" if listens else "caller",
        "latency": str(int(given.get("latency", SRT_LATENCY_MS)) * 1000),
        "pkt_size": str(DATAGRAM),
        "timeout": str(NETWORK_TIMEOUT_US),
    }
    # As options, not in the URL: there FFmpeg would change some of their characters and log the rest.
    secret = {"passphrase": given["passphrase"]} if "passphrase" in given else {}
    stream = {"srt_streamid": given["streamid"]} if "streamid" in given else {}
    authority = address.authority if address.host else f"0.0.0.0:{address.port}"
    return Destination(
        muxer="mpegts",
        url=f"srt://{authority}?{_joined(query)}",
        streams=job.streams,
        protocols="srt",
        options={**_mpegts(job), **secret, **stream},
        fifo=RECOVERY,
        waits=listens,
    )


def service_metadata(spec: ChannelSpec) -> tuple[str, ...]:
    """Name and provider of the service; FFmpeg knows one of each for all outputs of a command."""
    outputs = [output for output in spec.outputs if output.is_transport_stream]
    name = next((output.service_name for output in outputs if output.service_name), spec.name)
    provider = next((output.service_provider for output in outputs if output.service_provider), PROVIDER)
    return "-metadata", f"service_name={name}", "-metadata", f"service_provider={provider}"


def picture_pids(spec: ChannelSpec, plan: Plan) -> dict[int, int]:
    """The PIDs of pictures that do not come right before their sound, by the picture's number.

    A muxer of transport streams numbers the streams of an output from its first PID on. A PID apart is one of the
    stream itself, the same in every output that carries it.
    """
    found = {}
    for output in spec.outputs:
        if output.is_transport_stream and output.pids.is_apart:
            found[plan.video(spec.carried(output)[0])] = output.pids.video
    return found


def free_start_pid(taken: Sequence[int]) -> int:
    """The first PID for streams that nobody gave one, apart from those of pictures that somebody did."""
    return next(
        first for first in range(VIDEO_PID, PMT_PID, STREAMS) if all(pid - first not in range(STREAMS) for pid in taken)
    )


def _mpegts(job: Job) -> dict[str, str]:
    output = job.output
    return {
        "muxrate": str(job.spec.muxrate(output)),
        "pat_period": "0.1",
        "sdt_period": "0.5",
        "mpegts_service_id": str(output.service_id or 1),
        "mpegts_transport_stream_id": str(output.transport_stream_id or 1),
        "mpegts_original_network_id": str(output.network_id or 0xFF01),
        "mpegts_pmt_start_pid": str(output.pids.pmt),
        "mpegts_start_pid": str(output.pids.audio - 1),
        "mpegts_flags": "+system_b+initial_discontinuity",
        "max_delay": str(MUX_DELAY_US),
        "flush_packets": "0",
    }


def _paced(job: Job, size: int) -> str:
    """Where datagrams of so many bytes go, evenly."""
    query = {"pkt_size": str(size), "ttl": str(job.output.ttl or TTL)}
    if job.output.interface is not None:
        query["localaddr"] = job.host.local_address(job.output.interface, f"{job.field}.interface")
    # 3 % above the rate: below it the delay grows without any message, far above packets burst.
    query["bitrate"] = str(job.spec.muxrate(job.output) * 103 * size // (100 * DATAGRAM))
    return f"udp://{job.output.address.authority}?{_joined(query)}"


def _joined(query: dict[str, str]) -> str:
    return "&".join(f"{name}={value}" for name, value in query.items())
