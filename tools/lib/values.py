"""JSON values, times and numbers as Daybook's contract defines them, written a second time and independently."""

import json
import re
from decimal import Decimal

_TIME = re.compile(
    r"^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))$"
)


def parse(text):
    """Numbers with a point or an exponent stay exact."""
    return json.loads(text, parse_float=Decimal)


def microseconds(value):
    """An RFC 3339 time or epoch milliseconds as microseconds since 1970."""
    if isinstance(value, (int, Decimal)):
        return int(Decimal(value) * 1000)
    match = _TIME.match(value)
    if not match:
        raise ValueError(f"not a time: {value!r}")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    fraction = int((match.group(7) or "").ljust(9, "0")[:6] or 0)
    seconds = days_since_1970(year, month, day) * 86400 + hour * 3600 + minute * 60 + second
    if match.group(8):
        offset = int(match.group(9)) * 3600 + int(match.group(10)) * 60
        seconds += offset if match.group(8) == "-" else -offset
    return seconds * 1_000_000 + fraction


def days_since_1970(year, month, day):
    import datetime

    return (datetime.date(year, month, day) - datetime.date(1970, 1, 1)).days


def rfc3339(time):
    import datetime

    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=time)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"


def canonical(value):
    """By value: whole numbers in range are integers however they were written, others their nearest double."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, (int, Decimal)):
        number = Decimal(value)
        if number == number.to_integral_value() and -(2**63) <= number <= 2**64 - 1:
            return int(number)
        return float(number)
    if isinstance(value, list):
        return [canonical(item) for item in value]
    return {key: canonical(item) for key, item in value.items()}


def nanoseconds(milliseconds):
    """Rounded half to even, as the store keeps durations."""
    return int((Decimal(milliseconds) * 1_000_000).to_integral_value(rounding="ROUND_HALF_EVEN"))
