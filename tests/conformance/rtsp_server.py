"""An RTSP server by GStreamer: plays a transport stream's picture and sound, each in RTP of its own.

Run by Debian's Python, which has GStreamer's bindings: rtsp_server.py PORT FILE.
"""

import sys

import gi  # type: ignore[import-not-found]

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # type: ignore[import-not-found]  # noqa: E402

PORT, FILE = sys.argv[1:]
Gst.init(None)
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch(
    f"( filesrc location={FILE} ! tsdemux name=d "
    "d. ! queue ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=1 "
    "d. ! queue ! mpegaudioparse ! rtpmpapay name=pay1 pt=97 )"
)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(PORT)
server.get_mount_points().add_factory("/live", factory)
server.attach(None)
GLib.MainLoop().run()
