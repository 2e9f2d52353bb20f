"""What a fake FFmpeg does while it runs: writes progress, log lines and segments, or misbehaves as its control says.

Imported by the script that :func:`fake_ffmpeg.fake_ffmpeg` makes, a thousand times over in the bench. So it imports
what the interpreter holds anyway: 14 ms to the first line and a wake-up a second are all that it may cost.
"""

# pathlib and contextlib would double its start, and bytes have no other formatting.
# ruff: noqa: PTH104, PTH108, PTH115, PTH116, PTH120, PTH123, SIM105, UP031

import _signal
import os
import sys
import time

LONGEST_SLEEP_S = 1.0
"""A change of the control file counts after this time at the latest."""
FLOOD_STEP_S = 0.05
FLOOD_LINE = b"[udp @ 0x5581d0c0] [error] flood line %09d: a datagram came out of order and was thrown away\n"
OPENING = "[hls @ 0x5581d0c0] [info] Opening '%s' for writing"
SEGMENT_BYTES = 188 * 20
KEPT_SEGMENTS = 6


class _Told(BaseException):
    """FFmpeg was told to end, and obeys."""


class Fake:
    """One run.

    Args:
        argv: Arguments as FFmpeg gets them.
        control: Directory of the control files.
    """

    def __init__(self, argv, control):
        self.argv = argv
        self.control_directory = control
        self.name = next((word[13:] for word in argv if word.startswith("service_name=")), "")
        self.progress_fd = int(argv[argv.index("-progress") + 1].partition(":")[2])
        self.began = time.monotonic()
        self.control = {}
        self.control_seen = None
        self.loaded_at = self.began
        self.terms = 0
        self.media_s = 0.0
        self.lines = 0
        self.memory = []
        self.writers = list(writers(argv))
        self.sized = argv[argv.index("-f", argv.index("-map")) + 1] not in ("hls", "tee") if "-map" in argv else False

    def run(self):
        _signal.signal(_signal.SIGTERM, self.on_term)
        _signal.signal(_signal.SIGINT, self.on_term)
        self.load()
        log("[info] Input #0, mpegts, from 'fake':", "[info] Stream mapping:", "[info] Press [q] to stop")
        try:
            self.live()
        except _Told:
            _signal.signal(_signal.SIGTERM, _signal.SIG_IGN)
            if self.control.get("trailer", self.terms == 1):
                self.finish()
            log("[info] Exiting normally, received signal 15.")
        return 255

    def live(self):
        due = self.began + self.control.get("first_block_s", 0.2)
        last = self.began
        while True:
            now = time.monotonic()
            self.load()
            self.end_if_due(now)
            self.flood(now)
            if now >= due:
                self.advance(now - last)
                last = now
                due = max(due + self.control.get("period_s", 1.0), now)
            if self.control.get("spin"):
                while time.monotonic() < min(due, now + 0.2):
                    pass
            else:
                longest = FLOOD_STEP_S if "flood_lines_per_s" in self.control else LONGEST_SLEEP_S
                time.sleep(max(0.0, min(due - time.monotonic(), longest, self.control.get("look_s", longest))))

    def advance(self, elapsed):
        freeze = self.control.get("freeze", "")
        if freeze in ("", "blocks", "outputs") and not self.control.get("spin"):
            self.media_s += elapsed * self.control.get("speed", 1.0)
            if freeze != "outputs":
                for writer in self.writers:
                    writer.write(self.media_s)
        if freeze in ("", "frames", "outputs"):
            self.block(b"continue")

    def block(self, state):
        garbage = self.control.get("garbage")
        if garbage is not None:
            self.emit(garbage.encode("latin-1") * self.control.get("garbage_times", 1))
            if not self.control.get("garbage_and_blocks"):
                return
        microseconds = int(self.media_s * 1e6)
        seconds = int(self.media_s)
        size = b"%d" % (self.media_s * self.control.get("bitrate", 250_000) / 8) if self.sized else b"N/A"
        self.emit(
            b"frame=%d\nfps=%.2f\nstream_0_0_q=22.0\nbitrate= 250.0kbits/s\ntotal_size=%s\nout_time_us=%d\n"
            b"out_time_ms=%d\nout_time=%02d:%02d:%02d.%06d\ndup_frames=0\ndrop_frames=0\nspeed=1.00x\nprogress=%s\n"
            % (
                self.media_s * self.control.get("fps", 25),
                self.control.get("fps", 25),
                size,
                microseconds,
                microseconds,
                *(seconds // 3600, seconds // 60 % 60, seconds % 60, microseconds % 1000000),
                state,
            )
        )

    def emit(self, data):
        # As in FFmpeg, an error ends the progress stream for good and nothing else.
        if self.progress_fd < 0:
            return
        try:
            os.write(self.progress_fd, data)
        except OSError:
            self.progress_fd = -1

    def flood(self, now):
        rate = self.control.get("flood_lines_per_s", 0)
        due = int(rate * (now - self.loaded_at)) - self.lines
        while due > 0:
            batch = min(due, 5000)
            try:
                os.write(2, b"".join(FLOOD_LINE % number for number in range(self.lines, self.lines + batch)))
            except OSError:
                pass
            self.lines += batch
            due -= batch

    def end_if_due(self, now):
        control = self.control
        if "exit_after_s" not in control or now < self.began + control["exit_after_s"]:
            return
        if "exit_signal" in control:
            _signal.signal(control["exit_signal"], _signal.SIG_DFL) if control["exit_signal"] != 9 else None
            os.kill(os.getpid(), control["exit_signal"])
        os._exit(control.get("exit_code", 1))

    def finish(self):
        self.block(b"end")
        for writer in self.writers:
            writer.end()

    def on_term(self, *_):
        self.terms += 1
        if not self.control.get("ignore_term") and self.terms >= self.control.get("terms", 1):
            raise _Told

    def load(self):
        try:
            seen = os.stat(self.control_directory).st_mtime_ns
        except OSError:
            return
        if seen == self.control_seen:
            return
        self.control_seen = seen
        control, path = self.read_control()
        if control == self.control:
            return
        if control.get("once"):
            try:
                os.unlink(path)
            except OSError:
                pass
        elif self.control.get("once"):
            # Its file is gone, but it holds for the rest of this run.
            return
        self.control = control
        self.loaded_at = time.monotonic()
        self.lines = 0
        log(*control.get("stderr", ()))
        if "allocate_mb" in control:
            self.memory = [b"x" * 1_000_000 for _ in range(control["allocate_mb"])]

    def read_control(self):
        for name in (file_name(self.name), "all.json"):
            path = self.control_directory + "/" + name
            try:
                with open(path, encoding="utf-8") as file:
                    text = file.read()
            except OSError:
                continue
            import json

            return json.loads(text), path
        return {}, ""


def log(*lines):
    """Writes lines to the log, all at once."""
    try:
        os.write(2, "".join(line + "\n" for line in lines).encode("utf-8", "surrogateescape"))
    except OSError:
        pass


class Playlist:
    """One HLS media playlist and its segments; each is announced in the log, as FFmpeg does."""

    def __init__(self, directory, seconds):
        self.directory = directory
        self.seconds = seconds
        self.segments = 0

    def write(self, media_s):
        while media_s >= (self.segments + 1) * self.seconds:
            try:
                segment = self.directory + "/s_%08d.ts" % self.segments
                log(OPENING % (segment + ".tmp"))
                with open(segment, "wb") as file:
                    file.write(b"\x47\x1f\xff\x10" + bytes(SEGMENT_BYTES - 4))
                self.segments += 1
                log(OPENING % (self.directory + "/index.m3u8.tmp"))
                self.playlist("")
            except OSError:
                return

    def end(self):
        try:
            self.playlist("#EXT-X-ENDLIST\n")
        except OSError:
            pass

    def playlist(self, tail):
        first = max(0, self.segments - KEPT_SEGMENTS)
        entries = "".join("#EXTINF:%.6f,\ns_%08d.ts\n" % (self.seconds, n) for n in range(first, self.segments))
        head = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:%d\n#EXT-X-MEDIA-SEQUENCE:%d\n"
        with open(self.directory + "/index.tmp", "w", encoding="ascii") as file:
            file.write(head % (round(self.seconds) or 1, first) + entries + tail)
        os.rename(self.directory + "/index.tmp", self.directory + "/index.m3u8")
        old = first - 2
        if old >= 0:
            try:
                os.unlink(self.directory + "/s_%08d.ts" % old)
            except OSError:
                pass


class Recording:
    """A file that grows."""

    def __init__(self, path):
        self.path = path

    def write(self, media_s):
        try:
            with open(self.path, "ab") as file:
                file.write(b"\x47\x1f\xff\x10" + bytes(SEGMENT_BYTES - 4))
        except OSError:
            pass

    def end(self):
        pass


def writers(argv):
    """What the outputs on a command line are to be written by; those to a network and ``tee`` are not."""
    for at, word in enumerate(argv[:-2]):
        target = argv[at + 2]
        if word != "-f" or (at < len(argv) - 3 and not argv[at + 3].startswith("-")):
            continue
        if argv[at + 1] == "hls":
            seconds = float(argv[argv.index("-hls_time") + 1])
            names = [
                part[5:]
                for part in argv[argv.index("-var_stream_map") + 1].replace(",", " ").split()
                if part.startswith("name:")
            ]
            for name in names:
                yield Playlist(target.replace("%v", name).rpartition("/")[0], seconds)
        elif target.startswith("file:") and argv[at - 1] != "-i":
            yield Recording(target[5:])


def file_name(channel):
    """Name of a channel's control file."""
    return (
        channel.replace("/", "_").encode("utf-8", "surrogateescape")[:200].decode("utf-8", "surrogateescape") + ".json"
    )


def main(script):
    """Plays FFmpeg.

    Args:
        script: Path of the fake; its control files and the real FFmpeg's answers lie beside it.
    """
    home = os.path.dirname(os.path.realpath(script))
    argv = sys.argv[1:]
    # A probe of a source writes progress as well, but to nowhere else.
    if "-progress" in argv and argv[-1] != "-":
        os._exit(Fake(argv, home + "/control").run())
    for asked in ("-version", "-encoders", "-filters"):
        if asked in argv:
            with open(home + "/answer" + asked, "rb") as file:
                os.write(1, file.read())
            os._exit(0)
    if any(word.endswith("/sample.ts") for word in argv):
        # The self-test of an FFmpeg: nothing of a fake needs to be tested.
        os._exit(0)
    try:
        with open(home + "/hardware", encoding="utf-8") as file:
            working = file.read().split()
    except OSError:
        working = []
    if any(word in working for word in argv):
        # A test of hardware that this fake has.
        os._exit(0)
    real = os.readlink(home + "/real")
    os.execv(real, [real, *argv])
