"""Connections of HTTP/2 for tools/fuzz-http: frames as they should be, and as they should not. A case depends on its seed alone."""

import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RESET, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM = ACK = 1
END_HEADERS = 4
PADDED = 8
HAS_PRIORITY = 32
# The server must not keep a table of header fields: then an answer can be read without one.
NO_TABLE = struct.pack(">HI", 1, 0)
# Cases that stay for a while when they have sent everything: what the server holds for them is to be seen.
STAYING = {"zero_windows"}
# What HTTP/1.1 has for the connection and HTTP/2 forbids or says otherwise.
DROPPED = {"host", "connection", "transfer-encoding", "upgrade", "keep-alive"}


def frame(kind, flags=0, stream=0, payload=b"", length=None):
    size = len(payload) if length is None else length
    return struct.pack(">I", size & 0xFFFFFF)[1:] + struct.pack(">BBI", kind & 0xFF, flags & 0xFF, stream & 0xFFFFFFFF) + payload


def integer(value, bits, first=0):
    """An integer of HPACK behind the upper bits of its first byte."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    out = [first | most]
    value -= most
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def field(name, value):
    """A literal that goes into no table."""
    return b"\x00" + integer(len(name), 7) + name + integer(len(value), 7) + value


def block(fields):
    return b"".join(field(name, value) for name, value in fields)


def request_fields(method, target, fields=()):
    return [(b":method", method), (b":scheme", b"https"), (b":authority", b"localhost"), (b":path", target), *fields]


class ConnectionMaker:
    """One connection: its bytes, piece by piece, and whether the client reads while it sends."""

    def __init__(self, maker, random):
        self.maker = maker
        self.random = random
        self.next_stream = 1

    def case(self):
        """Name, pieces, and whether it reads while it sends."""
        random = self.random
        kinds = [self.good] * 10 + [self.mutated] * 6 + [
            self.bad_preface, self.bad_compression, self.bad_compression, self.bad_compression, self.large_frames,
            self.continuations, self.rapid_reset, self.pings, self.settings, self.zero_windows, self.wrong_frames,
            self.wrong_frames, self.wrong_frames, self.wrong_fields, self.wrong_fields, self.small_frames, self.noise,
        ]  # fmt: skip
        made = random.choice(kinds)
        return made.__name__, made(), random.random() < 0.7

    # --- what is right

    def start(self, settings=b""):
        return PREFACE + frame(SETTINGS, payload=NO_TABLE + settings)

    def stream(self):
        self.next_stream += 2
        return self.next_stream - 2

    def request(self):
        """Frames of a request that HTTP/1.1 could say, too."""
        raw, _ = self.maker.request()
        head, _, body = raw.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        parts = lines[0].split(b" ")
        method, target = parts[0], b" ".join(parts[1:-1])
        fields = []
        for line in lines[1:]:
            name, _, value = line.partition(b":")
            if name.lower().decode("latin-1").strip() not in DROPPED:
                fields.append((name.lower(), value.strip()))
        return self.frames(request_fields(method, target, fields), body)

    def frames(self, fields, body=b"", stream=None):
        random = self.random
        stream = self.stream() if stream is None else stream
        head = block(fields)
        pieces = self.cut(head, 16_384 if random.random() < 0.8 else random.randint(1, 200))
        flags = 0 if body else END_STREAM
        out = b""
        for number, piece in enumerate(pieces):
            kind = HEADERS if number == 0 else CONTINUATION
            ends = END_HEADERS if number == len(pieces) - 1 else 0
            out += frame(kind, (flags if number == 0 else 0) | ends, stream, piece)
        if body:
            parts = self.cut(body[:65_535], 16_384)
            for number, part in enumerate(parts):
                out += frame(DATA, END_STREAM if number == len(parts) - 1 else 0, stream, part)
        return out

    @staticmethod
    def cut(data, size):
        return [data[start : start + size] for start in range(0, len(data), size)] or [b""]

    def get(self, target=b"/health"):
        return self.frames(request_fields(b"GET", target))

    def good(self):
        return [self.start(), *(self.request() for _ in range(self.random.choice([1, 1, 1, 2, 5, 20])))]

    # --- what is not

    def mutated(self):
        pieces = self.good()
        data = bytearray(b"".join(pieces[1:]))
        random = self.random
        for _ in range(random.choice([1, 1, 2, 5])):
            at = random.randrange(len(data))
            how = random.random()
            if how < 0.5:
                data[at] = random.randrange(256)
            elif how < 0.7:
                del data[at : at + random.randint(1, 20)]
            elif how < 0.9:
                data[at:at] = random.randbytes(random.randint(1, 20))
            else:
                data += data[at:]
            if not data:
                break
        return [pieces[0], bytes(data)]

    def bad_preface(self):
        random = self.random
        preface = bytearray(PREFACE)
        preface[random.randrange(len(preface))] ^= 1 << random.randrange(8)
        return [
            random.choice([bytes(preface), PREFACE[: random.randrange(24)], PREFACE * 2, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\x00" * 24]),
            frame(SETTINGS), self.get(),
        ]  # fmt: skip

    def bad_compression(self):
        random = self.random
        good = block(request_fields(b"GET", b"/health"))
        bad = random.choice([
            b"\x80", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", b"\xff\x80\x80\x80\x80\x80\x00", b"\xbf", b"\xfe", b"\x3f\xff\xff\xff\x7f",
            b"\x3f\xe1\x1f" * 3, good + b"\x20", b"\x40\x81\xff\x81\xff", b"\x00\x84\xff\xff\xff\xff\x00", b"\x00\x7f\xff\xff\xff\xff\x0f",
            b"\x00\x05ab", b"\x40\x01a" + integer(5_000, 7) + b"v" * 5_000, b"\x40\x01a\x01b" * 3_000 + b"\xbe" * 10_000,
            random.randbytes(random.randint(1, 400)), good[: random.randrange(len(good))], b"",
            # A table that one entry fills, named over and over: a bomb.
            good + b"\x40\x01a" + integer(4_000, 7) + b"v" * 4_000 + b"\xbe" * 12_000,
        ])  # fmt: skip
        pieces = self.cut(bad, 16_384)
        out = [self.start(), self.get()]
        stream = self.stream()
        for number, piece in enumerate(pieces):
            kind = HEADERS if number == 0 else CONTINUATION
            out.append(frame(kind, END_STREAM | (END_HEADERS if number == len(pieces) - 1 else 0), stream, piece))
        return [*out, self.get()]

    def large_frames(self):
        random = self.random
        length = random.choice([16_385, 65_536, 1 << 20, (1 << 24) - 1])
        kind = random.choice([DATA, HEADERS, SETTINGS, PING, GOAWAY, CONTINUATION, 77])
        return [self.start(), self.get(), frame(kind, 0, random.choice([0, 1, 3]), random.randbytes(random.choice([0, 100, min(length, 300_000)])), length)]

    def continuations(self):
        random = self.random
        size = random.choice([0, 0, 1, 100, 16_384])
        count = min(5_000, (8 << 20) // max(size, 1))
        stream = self.stream()
        flood = frame(CONTINUATION, 0, stream, b"\x00" * size)
        return [self.start(), frame(HEADERS, END_STREAM, stream, block(request_fields(b"GET", b"/health"))), *[flood * 50] * (count // 50)]

    def rapid_reset(self):
        out = []
        for _ in range(self.random.choice([50, 500, 3_000])):
            stream = self.stream()
            out.append(self.frames(request_fields(b"GET", b"/health"), stream=stream) + frame(RESET, 0, stream, struct.pack(">I", 8)))
        return [self.start(), *(b"".join(out[start : start + 50]) for start in range(0, len(out), 50))]

    def pings(self):
        return [self.start(), *[frame(PING, 0, 0, b"12345678") * 50] * self.random.choice([1, 100, 400]), self.get()]

    def settings(self):
        random = self.random
        payload = random.choice([
            b"", struct.pack(">HI", 4, 65_535), struct.pack(">HI", 4, (1 << 31) - 1), struct.pack(">HI", 3, 0),
            struct.pack(">HI", 99, 1) * 100, struct.pack(">HI", 1, 4_096) + struct.pack(">HI", 1, 0),
        ])  # fmt: skip
        return [self.start(), *[frame(SETTINGS, 0, 0, payload) * 50] * random.choice([1, 20, 100]), self.get()]

    def small_frames(self):
        """Frames that cost the client nothing."""
        stream = self.stream()
        one = self.random.choice([
            frame(DATA, 0, stream), frame(DATA, PADDED, stream, b"\x00"), frame(WINDOW, 0, 0, struct.pack(">I", 1)),
            frame(PRIORITY, 0, stream, struct.pack(">IB", 0, 1)), frame(200, 0, stream, b"?"), frame(WINDOW, 0, stream, struct.pack(">I", 1)),
        ])  # fmt: skip
        fields = request_fields(b"POST", b"/api/v1/metrics/batch", [(b"content-type", b"application/json")])
        return [self.start(), frame(HEADERS, END_HEADERS, stream, block(fields)), *[one * 100] * self.random.choice([1, 20, 200])]

    def zero_windows(self):
        target = self.random.choice([b"/openapi.json", b"/openapi.json", b"/metrics", b"/health"])
        asked = [self.get(target) for _ in range(self.random.choice([1, 20, 100, 300]))]
        return [self.start(struct.pack(">HI", 4, self.random.choice([0, 0, 1, 100]))), *asked, self.request()]

    def wrong_frames(self):
        random = self.random
        number = struct.pack(">I", random.choice([0, 1, 7, 1 << 30, (1 << 31) - 1, 0xFFFFFFFF]))
        stream = random.choice([0, 0, 1, 2, 3, 5, 99, (1 << 31) - 1, 0x80000001])
        kinds = [
            frame(DATA, random.choice([0, END_STREAM, PADDED]), stream, random.choice([b"", b"\xff", b"{}"])),
            frame(HEADERS, random.choice([4, 5, 12, 36, 45]), stream, random.choice([block(request_fields(b"GET", b"/")), b"", b"\xff\xff"])),
            frame(PRIORITY, 0, stream, random.choice([number + b"\x01", struct.pack(">IB", stream & 0x7FFFFFFF, 1), b"", b"12345678"])),
            frame(RESET, 0, stream, random.choice([number, b"", b"12345"])),
            frame(SETTINGS, random.choice([0, ACK]), stream, random.choice([b"", b"12345", b"123456", struct.pack(">HI", 4, 1 << 31), struct.pack(">HI", 2, 7),
                                                                             struct.pack(">HI", 5, 1), struct.pack(">HI", 5, 1 << 24)])),
            frame(PUSH, END_HEADERS, stream, struct.pack(">I", 2) + block(request_fields(b"GET", b"/"))),
            frame(PING, random.choice([0, ACK]), stream, random.choice([b"12345678", b"", b"123456789"])),
            frame(GOAWAY, 0, stream, random.choice([number + number, b"", b"x" * 200])),
            frame(WINDOW, 0, stream, random.choice([number, number, b"", b"12345"])),
            frame(CONTINUATION, random.choice([0, 4]), stream, b"\x82"),
            frame(random.randrange(10, 256), random.randrange(256), stream, random.randbytes(random.randrange(40))),
        ]  # fmt: skip
        mixed = [random.choice([*kinds, self.get()]) for _ in range(random.randint(1, 12))]
        return [self.start(), self.get(), *mixed, self.get()]

    def wrong_fields(self):
        random = self.random
        good = request_fields(b"POST", b"/api/v1/metrics/command-execution", [(b"content-type", b"application/json")])
        extra = random.choice([
            (b"Upper", b"a"), (b"connection", b"close"), (b"te", b"gzip"), (b"transfer-encoding", b"chunked"), (b"content-length", b"5"),
            (b"content-length", b"-1"), (b"a", b"\r\nb: c"), (b"a\x00", b"b"), (b"", b"b"), (b":path", b"/"), (b":status", b"200"), (b":unknown", b"a"),
            (b"a", b"\x00"), (b"a", b" b "), (b"x", b"x" * random.choice([8_000, 16_000, 60_000])), (b"host", b"elsewhere"), (b"cookie", b"a=b"),
            (b"expect", b"100-continue"), (b":protocol", b"websocket"), (b"upgrade", b"h2c"), (b"content-encoding", b"gzip"),
        ])  # fmt: skip
        fields = good + [extra] * random.choice([1, 1, 2, 200])
        if random.random() < 0.3:
            del fields[random.randrange(4)]
        if random.random() < 0.1:
            fields = [(name, random.choice([b"", b"*", b"\xff", b"/" + b"a" * 9_000])) if name == b":path" else (name, value) for name, value in fields]
        if random.random() < 0.1:
            fields = [(name, random.choice([b"", b"CONNECT", b"get", b"A B", b"TRACE"])) if name == b":method" else (name, value) for name, value in fields]
        if random.random() < 0.2:
            random.shuffle(fields)
        stream = self.stream()
        out = [self.start(), self.frames(fields, random.choice([b"", b"{}", b"[1]", b"\x1f\x8b\x08"]), stream)]
        if random.random() < 0.2:
            # Fields behind the body.
            out.append(frame(HEADERS, END_STREAM | END_HEADERS, stream, block([random.choice([extra, (b"trailer", b"a")])])))
        return [*out, self.get()]

    def noise(self):
        return [random_start(self), self.random.randbytes(self.random.choice([1, 9, 100, 50_000]))]


def random_start(maker):
    return maker.start() if maker.random.random() < 0.7 else b""
