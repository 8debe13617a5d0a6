"""What schemathesis has to know beyond the document: rules that no schema can say."""

import datetime
import json

import schemathesis
from hypothesis import strategies

# Nothing may lie more than 24 hours in the future.
schemathesis.openapi.format(
    "date-time",
    strategies.datetimes(datetime.datetime(1, 1, 2), datetime.datetime(2026, 1, 1)).map(
        lambda time: time.isoformat() + "Z"
    ),
)

# Parts of messages to good data that is refused all the same, each for a reason that stands in a description.
UNSAID = [
    "bytes of text", "24 hours in the future", "must not be later than", "must not be earlier than",
    "contradicts", "does not belong to this query", "does not belong to this list", "must hold 1 to 16 words",
    "these events cannot be grouped by", "is not a parameter of this query", "must not be after end_date",
    "rollups do not tell", "nested deeper", "in canonical form", "more than the", "is too large for a number",
    "must be at most", "would make the session", "from year 1 to 9999",
    # `status` of sums depends on `metric`.
    "must be one of",
]  # fmt: skip


@schemathesis.serializer(
    "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"
)
def serialize_lines(ctx, value):
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else json.dumps(value).encode()


@schemathesis.hook
def before_call(ctx, case, kwargs):
    """Bodies are not packed, whatever good coding a case has made up."""
    if case.headers and case.headers.get("Content-Encoding") in ("gzip", "x-gzip", "lz4"):
        case.headers["Content-Encoding"] = "identity"


@schemathesis.check
def good_data_is_taken(ctx, response, case):
    """As the check of schemathesis, but for what the document cannot say."""
    meta = case.meta
    if meta is None or not meta.generation.mode.is_positive or response.status_code not in (400, 413, 414, 415, 422):
        return
    errors = []
    if response.content:
        errors = response.json().get("errors", [])
    elif case.method == "HEAD":
        # Without a body nobody can tell; GET, which is asked the same, has one.
        return
    reasons = [any(part in error["message"] for part in UNSAID) for error in errors]
    if not reasons or not all(reasons):
        raise AssertionError(f"good data was refused: {response.text[:500]}")
