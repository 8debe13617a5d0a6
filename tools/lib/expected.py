"""What must be stored for a request: worked out from the request alone, by rules written here a second time."""

import re
from decimal import Decimal

from values import canonical, microseconds, nanoseconds, parse

DROPPED_KEYS = {"__proto__", "constructor", "prototype"}
ANY_UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
DEFAULT_USER = "owner"

# A value that only the server knows beforehand.
ANY = object()
# The time at which the server took the request: `created_at` of the same event.
ARRIVAL = object()


def events_of(method, path, body):
    """The events that one request stores, in the order in which they are stored."""
    body = parse(body) if isinstance(body, str) else body
    path = re.sub(r"^/api/(v1/)?metrics/", "", path)
    if path in ("command-execution", "commands"):
        return [command(body)]
    if path in ("agent-interaction", "agents"):
        return [agent(body)]
    if path == "productivity":
        return [productivity(body)]
    if path in ("session/start", "sessions/start"):
        return [session_change("started", body, body.get("session_id", ANY))]
    if path == "session/end":
        return [session_change("ended", body, body["session_id"])]
    match = re.match(r"^sessions/([^/]+)/end$", path)
    if match:
        return [session_change("ended", body, match.group(1))]
    match = re.match(r"^sessions?/([^/]+)$", path)
    if match and method == "PUT":
        return [session_change("updated", body, match.group(1))]
    if path == "batch":
        return batch(body)
    raise ValueError(f"no rule for {method} {path}")


def batch(body):
    default = body.get("timestamp")
    events = []
    for key, items in body.items():
        for item in items if isinstance(items, list) else []:
            if key == "command_executions":
                events.append(command(item, default))
            elif key == "agent_interactions":
                events.append(agent(item, default))
            elif key == "productivity_metrics":
                events.append(productivity(item, default))
            elif key == "user_sessions":
                events += user_session(item)
    return events


def common(body, default=None):
    given = body.get("timestamp", default)
    return {
        "id": body.get("id", ANY),
        "user_id": body.get("user_id", DEFAULT_USER),
        "team_id": body.get("team_id"),
        "timestamp": ARRIVAL if given is None else microseconds(given),
    }


def session_of(body, container):
    given = body.get("session_id")
    return given if given is not None else (body.get(container) or {}).get("session_id")


def command(body, default=None):
    return {
        "type": "command_execution",
        **common(body, default),
        "command_name": body["command_name"],
        "execution_time_ms": duration(body["execution_time_ms"]),
        "status": body["status"],
        "session_id": session_of(body, "context"),
        "error_message": body.get("error_message"),
        "command_args": free_form(body.get("command_args")),
        "context": free_form(body.get("context")),
    }


def agent(body, default=None):
    status = body.get("status") or ("success" if body["success"] else "error")
    return {
        "type": "agent_interaction",
        **common(body, default),
        "agent_name": body["agent_name"],
        "interaction_type": body["interaction_type"],
        "input_tokens": body.get("input_tokens", 0),
        "output_tokens": body.get("output_tokens", 0),
        "processing_time_ms": duration(body.get("processing_time_ms", body.get("execution_time_ms"))),
        "success": status == "success",
        "status": status,
        "session_id": session_of(body, "metadata"),
        "error_message": body.get("error_message"),
        "metadata": free_form(body.get("metadata")),
    }


def productivity(body, default=None):
    event = {
        "type": "productivity_metric",
        **common(body, body.get("period_end", default)),
        "metric_type": body["metric_type"],
        "value": canonical(body["value"]),
        "unit": body.get("unit"),
        "period_start": microseconds(body["period_start"]) if "period_start" in body else None,
        "period_end": microseconds(body["period_end"]) if "period_end" in body else None,
        "dimensions": free_form(body.get("dimensions")),
    }
    return event


def session_change(change, body, session_id, timestamp=None):
    event = {
        "type": "session_change",
        **common(body, timestamp),
        "change": change,
        "session_id": session_id,
        "total_duration_ms": None if body.get("total_duration_ms") is None else duration(body["total_duration_ms"]),
        "commands_executed": body.get("commands_executed"),
        "agents_used": body.get("agents_used"),
        "productivity_score": None
        if body.get("productivity_score") is None
        else canonical(body["productivity_score"]),
        "context": free_form(body.get("context")),
    }
    if change == "ended":
        event["status"] = body.get("status", "completed")
    return event


def user_session(body):
    """One session in one piece becomes its changes: the start, and the end when it has one."""
    session_id = body.get("id", ANY)
    user = body.get("user_id", DEFAULT_USER)
    start = {"user_id": user, "context": body.get("context")}
    rest = {
        key: body[key] for key in ("commands_executed", "agents_used", "productivity_score", "total_duration_ms") if body.get(key) is not None
    }
    changes = [session_change("started", start, session_id, body["session_start"])]
    rest["user_id"] = user
    if body.get("status", "active") == "active" and "session_end" not in body:
        if len(rest) > 1:
            changes.append(session_change("updated", rest, session_id, body["session_start"]))
        return changes
    rest["status"] = "abandoned" if body.get("status") == "abandoned" else "completed"
    changes.append(session_change("ended", rest, session_id, body["session_end"]))
    return changes


def duration(milliseconds):
    return canonical(Decimal(nanoseconds(milliseconds)) / 1_000_000)


def free_form(value):
    if value is None:
        return None
    return canonical(without_dropped_keys(value))


def without_dropped_keys(value):
    if isinstance(value, dict):
        return {key: without_dropped_keys(item) for key, item in value.items() if key not in DROPPED_KEYS}
    if isinstance(value, list):
        return [without_dropped_keys(item) for item in value]
    return value


def differences(expected, found):
    """Texts, one for each field of a stored event that is not what it must be. `found` is a parsed line or item."""
    texts = []
    known = {"sequence", "organization_id", "created_at"}
    for key in sorted(set(expected) | set(found) - known):
        wanted = expected.get(key)
        value = found.get(key)
        if key in ("timestamp", "period_start", "period_end") and isinstance(value, str):
            value = microseconds(value)
            if wanted is ARRIVAL:
                wanted = microseconds(found["created_at"])
        elif value is not None:
            value = canonical(value)
        if wanted is ANY:
            if value is None or (key == "id" and not ANY_UUID.match(value)):
                texts.append(f"{key} is {value!r}, which is no made-up identifier")
        elif wanted != value or type(wanted) is not type(value):
            texts.append(f"{key} is {value!r}, expected {wanted!r}")
    return texts
