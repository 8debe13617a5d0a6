"""The comparisons of the demo: each compares what Daybook says with what was sent."""

import csv
import io
import json

from expected import differences
from totals import FAMILIES, compare, group_value, grouped
from values import canonical, microseconds, parse, rfc3339

GROUPINGS = {
    "command_executions": [[], ["command_name"], ["user_id"], ["status"], ["command_name", "status"], ["context.project"]],
    "agent_interactions": [[], ["agent_name"], ["user_id"], ["status"], ["interaction_type"]],
    "productivity_metrics": [[], ["metric_type"], ["user_id"]],
}

CSV_FAMILIES = ["command_execution", "agent_interaction", "session_change", "productivity_metric"]


class Results:
    def __init__(self):
        self.passed = 0
        self.failed = 0

    def check(self, name, problems):
        """`problems` is a list of texts; empty means passed."""
        if problems:
            self.failed += 1
            print(f"FAILED  {name}")
            for text in problems[:10]:
                print(f"        {text}")
            if len(problems) > 10:
                print(f"        and {len(problems) - 10} more")
        else:
            self.passed += 1


def replayed(daybook, organization):
    """Parsed lines of `daybook replay`."""
    lines = daybook.verb("replay", "--data", daybook.directory, "--organization", organization).splitlines()
    return [parse(line) for line in lines]


def check_replay(results, daybook, ledger):
    """Event by event and field by field. The times that the server chose are learned here for the later checks."""
    lines = replayed(daybook, ledger.organization)
    problems = []
    expected = sorted(ledger.by_sequence.items())
    sequences = [line["sequence"] for line in lines]
    if sequences != list(range(1, len(lines) + 1)):
        problems.append("sequences are not dense from 1")
    missing = [sequence for sequence, _ in expected if sequence > len(lines)]
    if missing:
        problems.append(f"{len(missing)} acknowledged events are missing, the first is sequence {missing[0]}")
    if len(lines) > len(expected):
        problems.append(f"{len(lines) - len(expected)} events were never acknowledged")
    for line in lines:
        event = ledger.by_sequence.get(line["sequence"])
        if event is None:
            continue
        if line["organization_id"] != ledger.organization:
            problems.append(f"sequence {line['sequence']} belongs to {line['organization_id']}")
        problems += [f"sequence {line['sequence']} {text}" for text in differences(event, line)]
        event["timestamp"] = microseconds(line["timestamp"])
        event["id"] = line.get("id")
        event["user_id"] = line.get("user_id")
        event["sequence"] = line["sequence"]
    results.check(f"{ledger.organization}: replay of {len(lines)} events, field by field", problems)
    return lines


def span(events):
    times = [event["timestamp"] for event in events]
    return min(times), max(times) + 1


def check_aggregated(results, client, ledger):
    events = ledger.events()
    for metric, groupings in GROUPINGS.items():
        family = FAMILIES[metric][0]
        of_family = [event for event in events if event["type"] == family]
        if not of_family:
            continue
        start, end = span(of_family)
        for group_by in groupings:
            for window in ("total", "1d", "1h"):
                if window == "1h" and len(group_by) > 1:
                    continue
                parameters = {
                    "metric": metric,
                    "aggregation_window": window,
                    "start_date": rfc3339(start),
                    "end_date": rfc3339(end),
                    "percentiles": "50,95,99",
                    "limit": 1000,
                }
                if group_by:
                    parameters["group_by"] = ",".join(group_by)
                items = client.all_items("/api/v1/metrics/aggregated", **parameters)
                groups = grouped(of_family, metric, window, group_by, start, end)
                name = f"{ledger.organization}: {metric} by {window} and {group_by or 'nothing'}, {len(groups)} groups"
                results.check(name, compare(groups, items, metric, group_by))


def check_filters(results, client, ledger):
    """One filter of each kind, alone, over the total."""
    events = [event for event in ledger.events() if event["type"] == "command_execution"]
    if not events:
        return
    start, end = span(events)
    sample = events[len(events) // 2]
    filters = ["command_name", "user_id", "status"]
    if group_value(sample, "context.branch"):
        filters.append("context.branch")
    for name in filters:
        value = group_value(sample, name)
        items = client.all_items(
            "/api/v1/metrics/aggregated",
            **{
                "aggregation_window": "total",
                "start_date": rfc3339(start),
                "end_date": rfc3339(end),
                "percentiles": "50,95,99",
                name: value,
            },
        )
        matching = [event for event in events if group_value(event, name) == value]
        groups = grouped(matching, "command_executions", "total", [], start, end)
        results.check(
            f"{ledger.organization}: total where {name} is {value!r}", compare(groups, items, "command_executions", [])
        )


def check_lists(results, client, ledger):
    """Every page of every list, newest first, each item complete."""
    events = ledger.events()
    for route, family in (
        ("commands", "command_execution"),
        ("agents", "agent_interaction"),
        ("productivity", "productivity_metric"),
    ):
        of_family = [event for event in events if event["type"] == family]
        if not of_family:
            continue
        start, end = span(of_family)
        items = client.all_items(
            f"/api/v1/metrics/{route}", start_date=rfc3339(start), end_date=rfc3339(end), limit=997
        )
        wanted = sorted(of_family, key=lambda event: (-event["timestamp"], -event["sequence"]))
        problems = []
        if len(items) != len(wanted):
            problems.append(f"{len(items)} items, expected {len(wanted)}")
        for position, (item, event) in enumerate(zip(items, wanted)):
            expected = {key: value for key, value in event.items() if key != "sequence"}
            item.setdefault("type", family)
            if item["sequence"] != event["sequence"]:
                problems.append(f"item {position} is sequence {item['sequence']}, expected {event['sequence']}")
                continue
            problems += [f"sequence {item['sequence']} {text}" for text in differences(expected, item)]
        results.check(f"{ledger.organization}: list of {route}, {len(wanted)} items", problems)


DAY = 86_400_000_000


def counted(session, session_id, events):
    """What no change says is counted from the events that name the session, a day before its start and after its end included."""
    start, end = session["session_start"] - DAY, session.get("session_end", 1 << 62) + DAY
    own = [event for event in events if event.get("session_id") == session_id and start <= event["timestamp"] < end]
    if "commands_executed" not in session:
        session["commands_executed"] = sum(event["type"] == "command_execution" for event in own)
    for event in [] if session["agents_used"] else own:
        if event["type"] == "agent_interaction" and event["agent_name"] not in session["agents_used"]:
            session["agents_used"].append(event["agent_name"])


def sessions_of(events):
    """The present state of each session, by its id, from its changes."""
    sessions = {}
    for event in events:
        if event["type"] != "session_change":
            continue
        session = sessions.setdefault(event["session_id"], {"agents_used": [], "status": "active"})
        if event["change"] == "started":
            session["user_id"] = event["user_id"]
            session["session_start"] = event["timestamp"]
        if event["commands_executed"] is not None:
            session["commands_executed"] = event["commands_executed"]
        if event["productivity_score"] is not None:
            session["productivity_score"] = event["productivity_score"]
        for agent in event["agents_used"] or []:
            if agent not in session["agents_used"]:
                session["agents_used"].append(agent)
        if event["change"] == "ended":
            session["status"] = event.get("status") or "completed"
            session["session_end"] = event["timestamp"]
    for session_id, session in sessions.items():
        counted(session, session_id, events)
    return sessions


def check_sessions(results, client, ledger):
    events = ledger.events()
    wanted = sessions_of(events)
    if not wanted:
        return
    starts = [session["session_start"] for session in wanted.values()]
    items = client.all_items(
        "/api/v1/metrics/sessions",
        start_date=rfc3339(min(starts) - 86_400_000_000),
        end_date=rfc3339(max(max(starts), span(events)[1]) + 86_400_000_000),
        limit=100,
    )
    problems = []
    found = {item.get("session_id", item.get("id")): item for item in items}
    if len(items) != len(wanted):
        problems.append(f"{len(items)} sessions, expected {len(wanted)}")
    for session_id, session in wanted.items():
        item = found.get(session_id)
        if item is None:
            problems.append(f"{session_id} is missing")
            continue
        for key in ("user_id", "commands_executed", "productivity_score"):
            if canonical(item.get(key)) != session.get(key):
                problems.append(f"{session_id}: {key} is {item.get(key)!r}, expected {session.get(key)!r}")
        if sorted(item.get("agents_used") or []) != sorted(session["agents_used"]):
            problems.append(f"{session_id}: agents_used is {item.get('agents_used')!r}, expected {session['agents_used']!r}")
        allowed = {"active", "abandoned"} if session["status"] == "active" else {session["status"]}
        if item.get("status") not in allowed:
            problems.append(f"{session_id}: status is {item.get('status')!r}, expected one of {sorted(allowed)}")
        for key in ("session_start", "session_end"):
            value = item.get(key)
            if session.get(key) is not None and (value is None or microseconds(value) != session[key]):
                problems.append(f"{session_id}: {key} is {value!r}, expected {rfc3339(session[key])}")
    results.check(f"{ledger.organization}: {len(wanted)} sessions in their present state", problems)
    totals = client.all_items(
        "/api/v1/metrics/aggregated",
        metric="user_sessions",
        aggregation_window="total",
        start_date=rfc3339(min(starts)),
        end_date=rfc3339(max(starts) + 1),
    )
    results.check(f"{ledger.organization}: totals of sessions", session_total_problems(totals, wanted))


def session_total_problems(items, wanted):
    """A session without activity counts as abandoned after a while: active and abandoned are compared together."""
    if len(items) != 1:
        return [f"{len(items)} items for one total"]
    item = items[0]
    completed = sum(session["status"] == "completed" for session in wanted.values())
    found = (item.get("count"), item.get("completed_count"), item.get("active_count", 0) + item.get("abandoned_count", 0))
    expected = (len(wanted), completed, len(wanted) - completed)
    return [] if found == expected else [f"count, completed, active and abandoned are {found}, expected {expected}"]


def check_export(results, daybook, ledger, lines):
    common = ["--data", daybook.directory, "--organization", ledger.organization]
    exported = [parse(line) for line in daybook.verb("export", *common, "--format", "ndjson").splitlines()]
    results.check(
        f"{ledger.organization}: NDJSON export is the replay", [] if exported == lines else ["the events differ"]
    )
    csv.field_size_limit(1 << 24)
    for family in CSV_FAMILIES:
        text = daybook.verb("export", *common, "--format", "csv", "--family", family)
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        wanted = [line for line in lines if line["type"] == family]
        problems = [] if len(rows) == len(wanted) else [f"{len(rows)} rows, expected {len(wanted)}"]
        for row, line in zip(rows, wanted):
            problems += csv_row_problems(row, line)
        results.check(f"{ledger.organization}: CSV export of {len(wanted)} {family} rows", problems)


def csv_row_problems(row, line):
    """Texts that a spreadsheet would take for a formula carry an apostrophe; objects are JSON text."""
    problems = []
    for key, value in line.items():
        if key not in row:
            if key != "type":
                problems.append(f"column {key} is missing")
            continue
        cell = row[key]
        if isinstance(value, str):
            guarded = value[:1] in ("=", "+", "-", "@", "\t", "\r")
            matches = cell == ("'" + value if guarded else value)
        elif isinstance(value, (dict, list)):
            matches = canonical(parse(cell)) == canonical(value)
        else:
            matches = canonical(parse(cell)) == canonical(value)
        if not matches:
            problems.append(f"sequence {line['sequence']}: {key} is {cell!r}, expected {value!r}")
    return problems


def check_unchanged(results, daybook, name, action):
    before = daybook.fingerprints()
    action()
    after = daybook.fingerprints()
    changed = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    results.check(name, [f"{path} changed" for path in changed])


def read_requests(path):
    """Lines as `daybook bench generate --format batches` writes them. The text of the body is sent as it stands."""
    requests = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            request = json.loads(line)
            body = line.rstrip("\n")[line.index('"body":') + len('"body":') : -1]
            requests.append((request["method"], request["path"], body, request["idempotency_key"]))
    return requests
