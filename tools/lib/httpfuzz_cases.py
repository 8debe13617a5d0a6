"""Requests for tools/fuzz-http: made of the OpenAPI document, then spoilt. A case depends on its seed alone."""

import gzip
import json
import urllib.parse

WORDS = [
    "", "0", "-1", "1", "1e309", "NaN", "null", "true", "acme", "nobody", "owner", "..", ".", "%00", "%zz", "%ff", "%2F", "a b",
    "'", '"', "\\", "\x00", "\r\n", "\u00e9", "\u202e", "\U0001f600", "{}", "[]", "<x>", "${a}", "{{a}}", "2026-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z", "99999999999999999999", "18446744073709551616", "-9223372036854775809", "context.a", "context..a",
    "start", "end", "key_0000000000000000", "A" * 130, "A" * 300, "A" * 9000,
]  # fmt: skip
VALUES = [
    None, True, False, 0, -1, 1, 0.5, -0.0, 1e308, 2**63, 2**64, -(2**63) - 1, 10**30, "", "a", "x" * 300, "x" * 9000, [], {}, [[]],
    {"a": {}}, "\ud800", "\u0000", "__proto__", "success", "2026-01-01T00:00:00Z", [None] * 60, {str(n): n for n in range(60)},
]  # fmt: skip
BYTES = [b"\x00", b"\xff", b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b"%", b"\xc0\x80", b"{", b"[", b'"', b"HTTP/1.1", b"\x16\x03\x01"]
# Of a list that is repeated: somewhat more than the server takes.
REPEATED_BYTES_MAX = 12 << 20
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "QUERY", "get", "FOO", "A" * 40]
FIELDS = [
    "Host: a", "Host:", "Content-Length: 5", "Content-Length: -1", "Content-Length: 99999999999", "Transfer-Encoding: chunked",
    "Transfer-Encoding: gzip, chunked", "Transfer-Encoding : chunked", "Expect: 100-continue", "Expect: x", "Upgrade: h2c",
    "Upgrade: websocket", "Connection: close", "Connection: upgrade", "Connection: keep-alive", "X: " + "x" * 17000,
    "X-Request-Id: " + "r" * 200, "X-Request-Id: \x7f", "X: a\r\n b", "X : y", ": y", "x", "Prefer: durability=relaxed",
    "Prefer: durability=\"durable\", respond-async", "Idempotency-Key: k", "Idempotency-Key:", "Idempotency-Key: a b",
    "Content-Type: text/plain", "Content-Type: application/json; charset=utf-16", "Content-Encoding: gzip", "Content-Encoding: lz4",
    "Content-Encoding: br", "If-None-Match: *", "If-None-Match: \"a\", W/\"b\"", "Accept: */*", "Range: bytes=0-1",
    "Cookie: a=b", "Origin: http://a", "Forwarded: for=1.2.3.4", "X-Forwarded-For: 1.2.3.4", "traceparent: 00-x", "Te: trailers",
]  # fmt: skip
# What makes organizations and keys, of which a run makes some only.
MAKERS = {"createOrganization", "createKey", "rotateKey"}


class Grammar:
    """The operations of a document, as far as requests are made of them."""

    def __init__(self, document):
        self.document = document
        self.operations = []
        for path, item in document["paths"].items():
            for method, operation in item.items():
                # OPTIONS is the same everywhere.
                count = 1 if method in ("options", "head") else 6
                self.operations += [(path, method.upper(), operation)] * count
        self.others = [one for one in self.operations if one[2]["operationId"] not in MAKERS]

    def resolve(self, tree):
        while "$ref" in tree:
            target = self.document
            for step in tree["$ref"][2:].split("/"):
                target = target[step]
            tree = target
        return tree


class Maker:
    """One case: the bytes of one or more requests, and how they are sent."""

    def __init__(self, grammar, random, credentials, may_make):
        self.grammar = grammar
        self.random = random
        self.credentials = credentials
        self.operations = grammar.operations if may_make else grammar.others

    def case(self):
        """The bytes, and the method of the one request that they surely are; None for anything else."""
        random = self.random
        count = 1 if random.random() < 0.85 else random.randint(2, 4)
        made = [self.request() for _ in range(count)]
        data = b"".join(request for request, _ in made)
        if random.random() < 0.2:
            return self.spoilt(data), None
        return data, made[0][1] if count == 1 else None

    # --- one request

    def request(self):
        random = self.random
        path, method, operation = random.choice(self.operations)
        parameters = [self.grammar.resolve(one) for one in operation.get("parameters", [])]
        target = self.target(path, parameters)
        if random.random() < 0.05:
            method = random.choice(METHODS)
        fields = [b"Host: localhost"] if random.random() < 0.97 else []
        credential = random.choice(self.credentials) if random.random() < 0.95 else random.choice(WORDS)
        if credential is not None:
            fields.append(b"Authorization: Bearer " + wire(credential))
        for one in parameters:
            if one["in"] == "header" and one["name"] != "Content-Encoding" and random.random() < 0.1:
                fields.append(wire(f"{one['name']}: {random.choice(WORDS)}"))
        for _ in range(random.choice([0, 0, 0, 1, 1, 2, 120 if random.random() < 0.02 else 1])):
            fields.append(wire(random.choice(FIELDS)))
        kind, body = self.body(operation)
        if body is not None or random.random() < 0.05:
            body = body or b"{}"
            fields.append(b"Content-Type: " + wire(kind or "application/json"))
            if random.random() < 0.1:
                body = gzip.compress(body, 1)
                fields.append(b"Content-Encoding: gzip")
                if random.random() < 0.3:
                    body = self.spoilt(body)
            body = self.framed(body, fields)
        version = b"HTTP/1.1" if random.random() < 0.97 else random.choice([b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.9", b"HTTP/", b""])
        random.shuffle(fields)
        line = wire(method) + b" " + wire(target) + b" " + version
        return line + b"\r\n" + b"".join(field + b"\r\n" for field in fields) + b"\r\n" + (body or b""), method

    def target(self, path, parameters):
        random = self.random
        for one in parameters:
            if one["in"] == "path":
                word = random.choice(WORDS)
                path = path.replace("{" + one["name"] + "}", word if random.random() < 0.3 else urllib.parse.quote(word, safe=""))
        asked = [one for one in parameters if one["in"] == "query"]
        pairs = []
        for one in random.sample(asked, min(len(asked), random.choice([0, 0, 1, 2, 3]))):
            pairs.append(f"{one['name']}={self.value(one)}")
        if random.random() < 0.05:
            pairs.append(f"{urllib.parse.quote(random.choice(WORDS))}={random.choice(WORDS)}")
        if random.random() < 0.02:
            path = random.choice(["http://a", "//", "/.", "", "/%2e%2e", "*", "ftp://a"]) + path
        return path + ("?" + "&".join(pairs) if pairs else "")

    def value(self, parameter):
        random = self.random
        schema = self.grammar.resolve(parameter["schema"])
        choices = schema.get("enum") or schema.get("items", {}).get("enum") or []
        for one in schema.get("anyOf", []):
            choices = choices or one.get("enum", [])
        if choices and random.random() < 0.6:
            return random.choice(choices)
        word = random.choice(WORDS)
        return word if random.random() < 0.2 else urllib.parse.quote(word)

    def body(self, operation):
        random = self.random
        if "requestBody" not in operation:
            return None, None
        content = self.grammar.resolve(operation["requestBody"])["content"]
        kind = random.choice(list(content))
        examples = [one["value"] for one in content[kind].get("examples", {}).values()] or [{}]
        value = random.choice(examples)
        if isinstance(value, str):
            lines = [self.text(self.changed(json.loads(value))) for _ in range(random.choice([1, 2, 5, 1100 if random.random() < 0.02 else 3]))]
            return kind, b"\n".join(lines)
        for _ in range(random.choice([0, 1, 1, 2, 4])):
            value = self.changed(value)
        return kind, self.text(value)

    def text(self, value):
        data = json.dumps(value, ensure_ascii=self.random.random() < 0.5).encode("utf-8", "surrogatepass")
        return self.spoilt(data) if self.random.random() < 0.1 else data

    def changed(self, value):
        """The same with something in it put in the place of something else."""
        random = self.random
        if isinstance(value, dict) and value and random.random() < 0.85:
            value = dict(value)
            name = random.choice(list(value))
            what = random.random()
            if what < 0.15:
                del value[name]
            elif what < 0.3:
                value[random.choice(WORDS)] = random.choice(VALUES)
            elif what < 0.35:
                value[name] = self.nested(random.randint(1, 2000))
            else:
                value[name] = self.changed(value[name])
            return value
        if isinstance(value, list) and value and random.random() < 0.85:
            value = list(value)
            what = random.random()
            if what < 0.1:
                times, byte_count = random.randint(2, 600), len(json.dumps(value))
                # Writing down lists of lists of lists would keep all connections of the fuzzer waiting.
                return value * max(1, min(times, REPEATED_BYTES_MAX // byte_count))
            position = random.randrange(len(value))
            value[position] = self.changed(value[position])
            return value
        return random.choice(VALUES)

    def nested(self, depth):
        value = 1
        # Python's own printer ends at about a thousand.
        for _ in range(min(depth, 300)):
            value = [value] if self.random.random() < 0.5 else {"a": value}
        return value

    def framed(self, body, fields):
        random = self.random
        if random.random() < 0.75:
            wrong = random.random() < 0.05
            fields.append(b"Content-Length: %d" % max(0, len(body) + (random.choice([-3, -1, 1, 7]) if wrong else 0)))
            return body
        fields.append(b"Transfer-Encoding: chunked")
        chunks, position = [], 0
        while position < len(body):
            size = random.choice([1, 7, 100, 5000, len(body)])
            piece = body[position : position + size]
            position += size
            shown = b"%x" % len(piece) if random.random() < 0.99 else random.choice([b"zz", b"-1", b"", b"FFFFFFFFFFFFFFFFFF", b"0x5"])
            chunks.append(shown + random.choice([b"", b"", b"", b";a=b", b" "]) + b"\r\n" + piece + b"\r\n")
            if len(chunks) > 2000:
                break
        end = random.choice([b"0\r\n\r\n"] * 8 + [b"0\r\nX: y\r\n\r\n", b"0\r\nContent-Length: 5\r\n\r\n", b"0\r\nx\r\n\r\n", b""])
        return b"".join(chunks) + end

    def spoilt(self, data):
        """Bytes changed, put in, taken out, repeated or cut off."""
        random = self.random
        data = bytearray(data)
        for _ in range(random.choice([1, 1, 2, 8])):
            if not data:
                break
            position = random.randrange(len(data))
            what = random.random()
            if what < 0.3:
                data[position] = random.randrange(256)
            elif what < 0.55:
                data[position:position] = random.choice(BYTES)
            elif what < 0.75:
                del data[position : position + random.randint(1, 20)]
            elif what < 0.9:
                piece = data[position : position + random.randint(1, 50)]
                data[position:position] = piece * random.choice([1, 2, 50])
            else:
                del data[position:]
        return bytes(data)


def wire(text):
    return text.encode("utf-8", "surrogatepass")
