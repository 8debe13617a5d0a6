"""What schemathesis has to know beyond the document: rules that no schema can say."""

import datetime
import itertools
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
    "rollups do not tell", "nested deeper", "in canonical form", "of a batch", "is too large for a number",
    "would make the session", "from year 1 to 9999",
    # A tier's burst, and a team that must be there.
    "burst must be", "is no team of the organization",
]  # fmt: skip

# The same for messages that other fields have, too, which a schema does say: by the fields of which it does not.
UNSAID_OF = {
    # Lists in one text, and all filters together.
    "must be at most": ("percentiles", "group_by", "filters"),
    # The operator bounds the lifetime of tokens.
    "must be an integer from 60 to": ("expires_in_seconds",),
    # Naming no token is the access token that asks, and the checks ask with a key.
    "or token must name one token": ("token_id",),
    # `status` of sums depends on `metric`.
    "must be one of": ("status",),
}


def is_unsaid(error):
    message, field = error["message"], error.get("field")
    return any(part in message for part in UNSAID) or any(
        part in message and field in fields for part, fields in UNSAID_OF.items()
    )


LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")


@schemathesis.serializer(*LINES)
def serialize_lines(ctx, value):
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else json.dumps(value).encode()


# Limits of the organization that asks: whatever is set here would end the checking.
OWN_LIMITS = (
    "/admin/rate-limits", "/api/v1/organization/limits", "/api/v1/organization/config",
    "/api/v1/organizations/{organization}",
)  # fmt: skip
REQUESTS = itertools.count(1)
SET_LIMITS = ("requests_per_minute", "tier", "burst", "rate_limiting", "performance", "quota_bytes")


@schemathesis.hook
def filter_case(ctx, case):
    """A body of lines is text; what else is made up for one, to be wrong, becomes text on its way."""
    return case.media_type not in LINES or isinstance(case.body, str)


@schemathesis.hook
def before_call(ctx, case, kwargs):
    """Bodies are not packed, whatever good coding a case has made up, each request comes from elsewhere, and no limit is set
    that the check would meet."""
    if case.headers and case.headers.get("Content-Encoding") in ("gzip", "x-gzip", "lz4"):
        case.headers["Content-Encoding"] = "identity"
    number = next(REQUESTS)
    case.headers["X-Forwarded-For"] = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    is_good = case.meta is not None and case.meta.generation.mode.is_positive
    if is_good and case.path in OWN_LIMITS and isinstance(case.body, dict):
        case.body = {name: value for name, value in case.body.items() if name not in SET_LIMITS}


@schemathesis.check
def good_data_is_taken(ctx, response, case):
    """As the check of schemathesis, but for what the document cannot say."""
    meta = case.meta
    if meta is None or not meta.generation.mode.is_positive or response.status_code not in (400, 413, 414, 415, 422):
        return
    errors = []
    if response.content:
        answer = response.json()
        errors = answer.get("errors") or [answer]
    elif case.method == "HEAD":
        # Without a body nobody can tell; GET, which is asked the same, has one.
        return
    reasons = [is_unsaid(error) for error in errors]
    if not reasons or not all(reasons):
        raise AssertionError(f"good data was refused: {response.text[:500]}")
