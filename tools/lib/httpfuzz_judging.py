"""What tools/fuzz-http takes for an answer."""

import json
import re

# No answer takes longer, whatever was asked.
SECONDS_MAX = 5.0
# How long another answer is waited for when it is not known how many there are.
PAUSE = 0.05
HEAD = re.compile(rb"HTTP/1\.1 ([0-9]{3}) [A-Za-z ]+\r\n((?:[!-9;-~]+:[^\r\n\x00]*\r\n)*)\r\n")
# Of the 5xx kind, what the document has.
SERVER_ERRORS = {"503": {"overloaded", "query_timeout", "durability_unknown"}, "505": {"http_version_not_supported"}}


class Failure(Exception):
    pass


def answers_of(data, is_whole):
    """The statuses in what a server sent; raises when it is no series of answers."""
    statuses, rest = [], data
    while rest:
        head = HEAD.match(rest)
        if not head:
            if is_whole or b"\r\n\r\n" in rest:
                raise Failure(f"this is no answer: {rest[:200]!r}")
            break
        status, fields = head.group(1).decode(), head.group(2).lower()
        rest = rest[head.end() :]
        if status == "100":
            continue
        statuses.append(status)
        if status >= "500" and status not in SERVER_ERRORS:
            raise Failure(f"an answer with the status {status}")
        length = re.search(rb"content-length: ([0-9]+)", fields)
        chunked = b"transfer-encoding: chunked" in fields
        # An answer to HEAD has no body, and another one may follow.
        if status in ("204", "304") or rest.startswith(b"HTTP/1.1 ") or not rest:
            continue
        if chunked:
            raise Failure("an answer in chunks")
        size = int(length.group(1)) if length else 0
        body, rest = rest[:size], rest[size:]
        if len(body) == size and b"content-type: application/json" in fields:
            check_body(status, body)
        elif status >= "400" and len(body) == size:
            raise Failure(f"an error that is not JSON: {body[:200]!r}")
    return statuses


def is_answer(data, method):
    """Whether the answer to the one request is whole; False when it is not known what was asked."""
    head = HEAD.match(data)
    if method is None or not head or head.group(1) == b"100":
        return False
    length = re.search(rb"content-length: ([0-9]+)", head.group(2).lower())
    size = int(length.group(1)) if length and method != "HEAD" else 0
    return len(data) - head.end() >= size


def check_body(status, body):
    try:
        value = json.loads(body)
    except ValueError as error:
        raise Failure(f"an answer that is no JSON: {error}: {body[:200]!r}") from error
    if status < "400" or "status" in value:
        return
    code = value.get("code")
    if value.get("success") is not False or not code or not value.get("message") or not value.get("request_id"):
        raise Failure(f"an error of another form: {body[:200]!r}")
    if status >= "500" and code not in SERVER_ERRORS.get(status, set()):
        raise Failure(f"{status} {code}")
