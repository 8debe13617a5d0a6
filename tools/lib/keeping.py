"""What an operator does to an organization while it is served, and after: quotas, holds, forgetting a user."""

import time

import checks
from client import Client, dump

COMMAND = dump({"command_name": "quota-probe", "execution_time_ms": 1, "status": "success"})
PATH = "/api/v1/metrics/command-execution"


def check_quota(results, daybook, organization, key):
    """A quota that is used up refuses ingest, answers go on, and a larger one lets it in again, without a restart."""
    problems = []
    common = [organization, "--data", daybook.directory]
    client = Client(daybook, key)

    def status_becomes(wanted, seconds=30):
        deadline = time.monotonic() + seconds
        while True:
            answer = client.request("POST", PATH, COMMAND)
            if answer.status == wanted or time.monotonic() > deadline:
                return answer
            time.sleep(0.1)

    daybook.verb("org", "set", *common, "--quota-bytes", "1")
    refused = status_becomes(503)
    if refused.status != 503 or refused.json["code"] != "storage_unavailable":
        problems.append(f"beyond the quota: {refused.status} {refused.text[:200]}")
    client.get("/api/v1/metrics/commands", limit=1)
    shown = daybook.verb_json("org", "show", *common)
    if shown["quota_bytes"] != 1:
        problems.append(f"org show says {shown}")
    daybook.verb("org", "set", *common, "--quota-bytes", "0")
    if status_becomes(201).status != 201:
        problems.append("ingest does not come back without the quota")
    client.close()
    results.check(f"{organization}: a quota stops ingest and lets it go on", problems)


def check_store_quota(results, daybook, organization, key, other):
    """`serve --quota-bytes` bounds all organizations together: once it is used up nobody stores anything, everybody is
    answered, and a server without it takes events again."""
    problems = []
    arguments = daybook.serve_arguments
    if daybook.stop() != 0:
        problems.append("the server does not end well")
    before = checks.replayed(daybook, organization)
    daybook.serve_arguments = [*arguments, "--quota-bytes", "1"]
    daybook.start()
    for credential in (key, other):
        client = Client(daybook, credential)
        answer = client.request("POST", PATH, COMMAND)
        if answer.status != 503 or answer.json["code"] != "storage_unavailable" or answer.json["retry_after"] <= 0:
            problems.append(f"beyond the store's quota: {answer.status} {answer.text[:200]}")
        client.get("/api/v1/metrics/commands", limit=1)
        client.close()
    shown = daybook.verb_json("config", "show", "--running", "--data", daybook.directory)
    quota = [setting for setting in shown["settings"] if setting["name"] == "store.quota_bytes"][0]
    if (quota["value"], quota["origin"]) != (1, "flag"):
        problems.append(f"config show says {quota}")
    if daybook.stop() != 0:
        problems.append("the server does not end well beyond its quota")
    if checks.replayed(daybook, organization) != before:
        problems.append("something was stored beyond the quota")
    daybook.serve_arguments = arguments
    daybook.start()
    client = Client(daybook, key)
    if client.request("POST", PATH, COMMAND).status != 201:
        problems.append("ingest does not come back without the quota")
    client.close()
    results.check("serve --quota-bytes stops ingest of everybody, and a server without it goes on", problems)


def check_hold(results, daybook, organization):
    """Under a legal hold nobody is forgotten, and nothing that was asked for is half done."""
    common = ["--data", daybook.directory]
    problems = []
    daybook.verb("org", "set", organization, *common, "--legal-hold", "on")
    try:
        daybook.verb("erase", *common, "--organization", organization, "--user", "nobody")
        problems.append("an erasure began under a legal hold")
    except Exception as error:  # what the verb says is checked, not its class
        if "hold" not in str(error):
            problems.append(f"the refusal does not name the hold: {error}")
    daybook.verb("org", "set", organization, *common, "--legal-hold", "off")
    results.check(f"{organization}: a legal hold keeps everybody", problems)


def check_erasure(results, daybook, organization, key):
    """Forgets the most frequent user beside the server: nobody else's event changes. Returns what is left."""
    before = checks.replayed(daybook, organization)
    users = [event["user_id"] for event in before]
    user = max(set(users), key=users.count)
    done = daybook.verb_json(
        "erase", "--data", daybook.directory, "--organization", organization, "--user", user, "--wait"
    )
    problems = []
    erased = sum(done["certificate"]["events_erased"].values())
    if done["state"] != "done" or erased != users.count(user):
        problems.append(f"{done['state']} with {erased} of {users.count(user)} events")
    client = Client(daybook, key)
    if client.get("/api/v1/metrics/commands", user_id=user)["data"]["items"]:
        problems.append("a query still finds the user")
    client.close()
    left = [event for event in before if event["user_id"] != user]
    if checks.replayed(daybook, organization) != left:
        problems.append("the events of the others are not as they were")
    daybook.verb("verify", "--data", daybook.directory)
    daybook.verb("verify", "rollups", "--data", daybook.directory)
    results.check(f"{organization}: {erased} events of one user are gone, {len(left)} of others are not", problems)
    return left


def check_reapply(results, daybook, organization, left):
    """Without a server: every erasure once more, and nothing else changes."""
    lines = daybook.verb("erase", "--data", daybook.directory, "--reapply", "--json").splitlines()
    problems = [] if len(lines) == 1 and '"state":"done"' in lines[0] else [f"erase --reapply printed {lines}"]
    if checks.replayed(daybook, organization) != left:
        problems.append("the events of the others are not as they were")
    daybook.verb("verify", "--data", daybook.directory)
    results.check(f"{organization}: an erasure once more, without a server", problems)
