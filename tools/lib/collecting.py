"""Checks of the demo about ways to send: imports that are repeated, strict, told on the way; and what an organization chose."""

from client import Client, dump
from values import parse

IMPORT = "/api/v1/metrics/import"


def command(name):
    return dump({"type": "command_execution", "command_name": name, "execution_time_ms": 1, "status": "success"})


def send(client, lines, **headers):
    fields = {"Content-Type": "application/x-ndjson"}
    fields.update({name.replace("_", "-"): value for name, value in headers.items()})
    return client.request("POST", IMPORT, "\n".join(lines), fields)


def check_import(results, daybook, organization):
    """Makes the organization and returns its key."""
    made = daybook.verb_json("org", "create", organization, "--data", daybook.directory)
    client = Client(daybook, made["api_key"])
    lines = [command(f"c{number}") for number in range(2_200)]
    lines[1_500] = "nonsense"
    problems = []
    for _ in range(2):
        data = send(client, lines, Idempotency_Key="demo").json["data"]
        found = (data["lines"], data["stored"], data["rejected"], data["last_sequence"], data["errors"][0]["line"])
        if found != (2_200, 2_199, 1, 2_199, 1_501):
            problems.append(f"an import answered {data}")
    results.check("an import that is sent twice under one key is stored once", problems)
    data = send(client, lines, Prefer="handling=strict").json["data"]
    chunk = {"first_line": 1_001, "last_line": 2_000}
    right = data["stored"] == 1_200 and data["skipped"] == 999 and data["skipped_chunks"] == [chunk]
    results.check("a strict import stores no chunk with a bad line", [] if right else [f"it answered {data}"])
    told = [parse(line) for line in send(client, lines, Accept="application/x-ndjson").text.splitlines()]
    progress = [line["progress"]["stored"] for line in told if "progress" in line]
    bad = [line["rejected"]["line"] for line in told if "rejected" in line]
    right = progress == [1_000, 1_999, 2_199] and bad == [1_501] and told[-1]["success"]
    results.check("an import tells of its chunks and bad lines", [] if right else [f"it told {told}"])
    client.close()
    return made["api_key"]


def check_durability(results, daybook, organization, key):
    client = Client(daybook, key)
    found = []
    for choice in ("relaxed", "durable"):
        shown = daybook.verb_json("org", "set", organization, "--durability", choice, "--data", daybook.directory)
        answer = client.request(
            "POST", "/api/metrics/commands", dump({"command_name": "c", "execution_time_ms": 1, "status": "success"})
        )
        found.append((shown["durability"], answer.headers["Daybook-Durability"], "sequence" in answer.json["data"]))
    client.close()
    wanted = [("relaxed", "relaxed", False), ("durable", "durable", True)]
    results.check("an organization chooses its durability", [] if found == wanted else [f"found {found}"])


def check_dead_letters(results, daybook, key):
    """There are none; and both ways to ask say so."""
    client = Client(daybook, key)
    items = client.all_items("/api/v1/dead-letters")
    client.close()
    listed = daybook.verb_json("dlq", "list", "--data", daybook.directory)["dead_letters"]
    results.check("no background work has failed", [f"{letter}" for letter in items + listed])
