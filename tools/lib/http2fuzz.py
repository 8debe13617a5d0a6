"""What tools/fuzz-http does over TLS and HTTP/2, and how it reads what comes back."""

import random
import select
import socket
import ssl
import time

from http2fuzz_cases import CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, RESET, STAYING, ConnectionMaker
from httpfuzz_cases import Maker
from httpfuzz_judging import PAUSE, SECONDS_MAX, Failure, check_body

# Bytes of a frame that this client has not allowed to be longer.
FRAME_BYTES_MAX = 16_384
ERROR_CODE_MAX = 13
STATIC_STATUSES = {8: "200", 9: "204", 10: "206", 11: "304", 12: "400", 13: "404", 14: "500"}
# The digits in the code of HPACK: five bits for three of them, six for the others.
HUFFMAN_DIGITS = {**{format(value, "05b"): str(value) for value in range(3)},
                  **{format(0b011001 + value - 3, "06b"): str(value) for value in range(3, 10)}}  # fmt: skip


class Answers:
    """Frames of the server, as far as they have come: what each stream was answered."""

    def __init__(self):
        self.data = b""
        self.statuses = {}
        self.bodies = {}
        self.open_block = None
        self.ended = set()
        self.has_gone = False

    def take(self, piece):
        self.data += piece
        while len(self.data) >= 9:
            size = int.from_bytes(self.data[:3], "big")
            if size > FRAME_BYTES_MAX:
                raise Failure(f"a frame of {size} bytes: {self.data[:40]!r}")
            if len(self.data) < 9 + size:
                return
            kind, flags, stream = self.data[3], self.data[4], int.from_bytes(self.data[5:9], "big")
            payload, self.data = self.data[9 : 9 + size], self.data[9 + size :]
            self.note(kind, flags, stream, payload)

    def note(self, kind, flags, stream, payload):
        if self.open_block is not None and kind != CONTINUATION:
            raise Failure(f"a frame of kind {kind} within a block of fields")
        if kind == DATA:
            if flags & PADDED:
                payload = payload[1 : len(payload) - payload[0]]
            self.bodies[stream] = self.bodies.get(stream, b"") + payload
        elif kind in (HEADERS, CONTINUATION):
            self.note_head(kind, flags, stream, payload)
        elif kind == RESET and int.from_bytes(payload, "big") > ERROR_CODE_MAX:
            raise Failure(f"a stream was reset with {payload!r}")
        elif kind == GOAWAY:
            self.has_gone = True
            if int.from_bytes(payload[4:8], "big") > ERROR_CODE_MAX:
                raise Failure(f"the connection was ended with {payload!r}")
        if kind in (DATA, HEADERS) and flags & END_STREAM:
            self.ended.add(stream)

    def note_head(self, kind, flags, stream, payload):
        if kind == CONTINUATION:
            payload = self.open_block + payload
        if not flags & END_HEADERS:
            self.open_block = payload
            return
        self.open_block = None
        status = status_of(payload)
        if status is not None and status != "100":
            self.statuses[stream] = status

    def check(self, documented):
        """The statuses; raises for what is no answer of the document."""
        for stream in self.ended:
            status, body = self.statuses.get(stream), self.bodies.get(stream, b"")
            if status is None:
                continue
            if status not in documented:
                raise Failure(f"an answer with the status {status}: {body[:200]!r}")
            if body.startswith(b"{"):
                check_body(status, body)
            elif status >= "400" and body:
                raise Failure(f"an error that is not JSON: {status} {body[:200]!r}")
        return list(self.statuses.values())


def number(data, at, bits):
    """An integer of HPACK and where it ends."""
    value = data[at] & ((1 << bits) - 1)
    at += 1
    if value < (1 << bits) - 1:
        return value, at
    shift = 0
    while True:
        value += (data[at] & 127) << shift
        at += 1
        shift += 7
        if data[at - 1] < 128:
            return value, at


def text(data, at):
    """The bytes of a text, as they stand there, whether they are compressed, and where they end."""
    size, begin = number(data, at, 7)
    return data[begin : begin + size], data[at] >= 128, begin + size


def status_of(block):
    """The status in a block of fields that refers to no table but the fixed one; None for trailers, or when it does."""
    at = 0
    try:
        while at < len(block):
            first = block[at]
            if first >= 128:
                index, at = number(block, at, 7)
                if index in STATIC_STATUSES:
                    return STATIC_STATUSES[index]
                continue
            if 32 <= first < 64:
                _, at = number(block, at, 5)
                continue
            index, at = number(block, at, 6 if first >= 64 else 4)
            name = b""
            if index == 0:
                name, _, at = text(block, at)
            value, is_coded, at = text(block, at)
            if index in STATIC_STATUSES or name == b":status":
                return digits(value) if is_coded else value.decode("latin-1")
    except IndexError:
        raise Failure(f"a block of fields that ends too early: {block!r}") from None
    return None


def digits(value):
    bits, out, code = "".join(format(byte, "08b") for byte in value), "", ""
    for bit in bits:
        code += bit
        if code in HUFFMAN_DIGITS:
            out, code = out + HUFFMAN_DIGITS[code], ""
    return out


def documented_statuses(document):
    """All of them: which one belongs to which request is for tools/schemathesis to say."""
    found = set()
    for item in document["paths"].values():
        for operation in item.values():
            found |= set(operation["responses"])
    # Of the protocol itself, before a route is known.
    return found | {"400", "408", "413", "414", "417", "421", "431", "503", "505"}


class StreamTalk:
    """Sends the cases of one worker, each on a connection of its own."""

    def __init__(self, run, worker_number, context):
        self.run = run
        self.worker_number = worker_number
        self.context = context
        self.documented = documented_statuses(run.grammar.document)

    def case(self, case, may_make):
        """The bytes of a case, and how it is sent."""
        how = random.Random(f"{self.run.seed} h2 {self.worker_number} {case}")
        maker = ConnectionMaker(Maker(self.run.grammar, how, self.run.credentials, may_make), how)
        name, pieces, reads = maker.case()
        return name, pieces, reads, how

    def send(self, name, pieces, reads, how):
        raw = socket.socket()
        raw.bind((f"127.0.{how.randint(1, 200)}.{how.randint(1, 250)}", 0))
        raw.settimeout(SECONDS_MAX)
        try:
            raw.connect(("127.0.0.1", self.run.daybook.port))
            connection = self.context.wrap_socket(raw, server_hostname="localhost")
        except OSError as error:
            raw.close()
            raise Failure(f"no connection: {error}") from error
        try:
            if connection.selected_alpn_protocol() != "h2":
                raise Failure("the server does not agree on h2")
            return self.talk(connection, pieces, reads, how, 1.0 if name in STAYING else PAUSE)
        finally:
            connection.close()

    def talk(self, connection, pieces, reads, how, patience):
        """`patience`: how long nothing more must come until the case is over."""
        answers = Answers()
        connection.setblocking(False)
        deadline = time.monotonic() + SECONDS_MAX
        try:
            for piece in pieces:
                rest = memoryview(piece)
                # Who does not read is let wait by the server in the end: then it has seen enough.
                while rest and time.monotonic() < deadline:
                    rest = rest[self.write(connection, rest, 0.2 if reads else 0.02) :]
                    if reads:
                        self.read_some(connection, answers, 0)
                    elif time.monotonic() > deadline - SECONDS_MAX + 1:
                        break
        except (ConnectionError, ssl.SSLError, EOFError):
            pass
        if how.random() < 0.05:
            return []
        quiet = time.monotonic() + patience
        try:
            while time.monotonic() < quiet:
                if self.read_some(connection, answers, PAUSE):
                    quiet = time.monotonic() + patience
                if time.monotonic() > deadline + SECONDS_MAX:
                    raise Failure(f"answers without an end within {2 * SECONDS_MAX} s")
        except (ConnectionError, ssl.SSLError, EOFError):
            pass
        return answers.check(self.documented)

    @staticmethod
    def write(connection, rest, seconds):
        try:
            return connection.send(rest[:65_536])
        except ssl.SSLWantWriteError:
            select.select([], [connection], [], seconds)
        except ssl.SSLWantReadError:
            select.select([connection], [], [], seconds)
        return 0

    @staticmethod
    def read_some(connection, answers, seconds):
        """How much came; raises at the end."""
        count = 0
        while True:
            try:
                piece = connection.recv(1 << 16)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                if count or not seconds or not select.select([connection], [], [], seconds)[0]:
                    return count
                seconds = 0
                continue
            if not piece:
                raise EOFError
            answers.take(piece)
            count += len(piece)
