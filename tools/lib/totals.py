"""Totals over expected events: counts, sums and percentiles as the aggregated route must give them."""

import math
from decimal import Decimal

from values import microseconds, nanoseconds, rfc3339

WINDOWS = {"1m": 60, "5m": 300, "15m": 900, "1h": 3600, "1d": 86400}
STATUSES = ("success", "error", "timeout", "cancelled")

FAMILIES = {
    "command_executions": ("command_execution", "execution_time_ms"),
    "agent_interactions": ("agent_interaction", "processing_time_ms"),
    "productivity_metrics": ("productivity_metric", "value"),
}


class Group:
    """The events of one bucket and one group."""

    def __init__(self):
        self.statuses = dict.fromkeys(STATUSES, 0)
        self.values = []
        self.input_tokens = 0
        self.output_tokens = 0

    def add(self, event, timing):
        if "status" in event:
            self.statuses[event["status"]] += 1
        self.values.append(event[timing])
        self.input_tokens += event.get("input_tokens", 0)
        self.output_tokens += event.get("output_tokens", 0)

    def percentile(self, percent):
        """Nearest rank."""
        ordered = sorted(self.values)
        return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def grouped(events, metric, window, group_by, start, end):
    """{(bucket start, group values): Group} of the events from `start` to before `end`, in microseconds."""
    family, timing = FAMILIES[metric]
    groups = {}
    for event in events:
        time = event["timestamp"]
        if event["type"] != family or not start <= time < end:
            continue
        if window == "total":
            bucket = start
        else:
            length = WINDOWS[window] * 1_000_000
            bucket = max(start, time // length * length)
        values = tuple(group_value(event, name) for name in group_by)
        groups.setdefault((bucket, values), Group()).add(event, timing)
    return groups


def group_value(event, name):
    value = event
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def compare(groups, items, metric, group_by):
    """Texts, one for each figure of an answer that differs."""
    timing = FAMILIES[metric][1]
    texts = []
    found = {}
    for item in items:
        values = tuple(item.get("group", {}).get(name) for name in group_by)
        key = (microseconds(item["bucket_start"]), values)
        if key in found:
            texts.append(f"{label(key)} comes twice")
        found[key] = item
    for key in groups.keys() - found.keys():
        texts.append(f"{label(key)} is missing: {len(groups[key].values)} events")
    for key in found.keys() - groups.keys():
        if found[key].get("count"):
            texts.append(f"{label(key)} must not be there: {found[key]}")
    for key in groups.keys() & found.keys():
        texts += [f"{label(key)}: {text}" for text in compare_group(groups[key], found[key], metric, timing)]
    return texts


def label(key):
    return f"{rfc3339(key[0])} {list(key[1])}"


def compare_group(group, item, metric, timing):
    texts = []

    def exact(name, wanted):
        if item.get(name) != wanted:
            texts.append(f"{name} is {item.get(name)}, expected {wanted}")

    count = len(group.values)
    exact("count", count)
    if metric != "productivity_metrics":
        for status in STATUSES:
            exact(f"{status}_count", group.statuses[status])
        near(texts, "success_rate", item.get("success_rate"), group.statuses["success"] / count, 1e-9)
    if metric == "agent_interactions":
        exact("input_tokens", group.input_tokens)
        exact("output_tokens", group.output_tokens)
    timings = item.get(timing) or {}
    if metric == "productivity_metrics":
        total = math.fsum(float(value) for value in group.values)
        near(texts, f"{timing}.sum", timings.get("sum"), total, 1e-15)
    else:
        total = Decimal(sum(nanoseconds(str(value)) for value in group.values)) / 1_000_000
        if timings.get("sum") is None or abs(Decimal(timings["sum"]) - total) >= Decimal("0.0000005"):
            texts.append(f"{timing}.sum is {timings.get('sum')}, expected {total}")
    near(texts, f"{timing}.avg", timings.get("avg"), float(total) / count, 1e-9)
    near(texts, f"{timing}.min", timings.get("min"), min(group.values), 1e-12)
    near(texts, f"{timing}.max", timings.get("max"), max(group.values), 1e-12)
    for percent in (50, 95, 99):
        near(texts, f"{timing}.p{percent}", timings.get(f"p{percent}"), group.percentile(percent), 0.011)
    return texts


def near(texts, name, found, wanted, tolerance):
    if found is None or abs(float(found) - float(wanted)) > tolerance * abs(float(wanted)) + 1e-12:
        texts.append(f"{name} is {found}, expected {float(wanted)} within {tolerance}")
