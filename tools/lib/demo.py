"""The main job of Daybook end to end, on real input: see tools/demo."""

import argparse
import os
import shutil
import sys
import tempfile
import time

import checks
import collecting
import configuring
import examples
import keeping
from client import Client, dump
from load import Ledger, Sender
from server import Daybook
from values import parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SAMPLE = os.path.join(ROOT, "data", "sample")
STEPS = os.path.join(ROOT, ".build", "test-steps.ndjson")
SAMPLE_EVENTS_MIN = 10_000
BULK_EVENTS = 90_000


class Tenant:
    def __init__(self, organization, key, requests):
        self.organization = organization
        self.key = key
        self.requests = requests
        self.ledger = Ledger(organization)


def example_requests():
    return [
        (method, path, body, f"example-{number}")
        for number, (method, path, body) in enumerate(examples.S4 + examples.S5)
    ]


def diary_requests():
    """The steps of tools/test as they ran, as command executions. None when the tests have not run."""
    if not os.path.exists(STEPS):
        return []
    requests = []
    with open(STEPS, encoding="utf-8") as file:
        for number, line in enumerate(file):
            step = parse(line)
            body = {
                "command_name": step["name"],
                "execution_time_ms": int(step["duration_ms"]),
                "status": step["status"],
                "command_args": {"command": step["command"]},
                "context": {"project": "daybook", "tool": "tools/test"},
                "timestamp": step["started_at"],
            }
            requests.append(("POST", "/api/v1/metrics/command-execution", dump(body), f"step-{number}"))
    return requests


def bulk_requests(daybook):
    """Enough events in full batches that sealing has something to do."""
    text = daybook.verb("bench", "generate", "--seed", "11", "--events", str(BULK_EVENTS), "--organizations", "1")
    arrays = {
        "command_execution": "command_executions",
        "agent_interaction": "agent_interactions",
        "productivity_metric": "productivity_metrics",
    }
    requests = []
    batch = {name: [] for name in arrays.values()}
    count = 0
    lines = text.splitlines()
    for position, line in enumerate(lines):
        family = line[len('{"type":"') : line.index('"', len('{"type":"'))]
        if family in arrays:
            # The rest of the line is the item, as a batch takes it.
            batch[arrays[family]].append("{" + line[line.index(",") + 1 :])
            count += 1
        if count == 1000 or position == len(lines) - 1:
            members = [f'"{name}":[{",".join(items)}]' for name, items in batch.items() if items]
            body = "{" + ",".join(members) + "}"
            requests.append(("POST", "/api/v1/metrics/batch", body, f"bulk-{len(requests)}"))
            batch = {name: [] for name in arrays.values()}
            count = 0
    return requests


def make_tenants(daybook):
    """The first organization comes from `init`, the others from `org create` while the server runs."""
    samples = sorted(name[: -len(".ndjson")] for name in os.listdir(SAMPLE) if name.endswith(".ndjson"))
    if len(samples) != 3:
        raise AssertionError(f"data/sample holds {len(samples)} organizations instead of 3")
    plan = {name: checks.read_requests(os.path.join(SAMPLE, name + ".ndjson")) for name in samples}
    first, *others = samples
    made = daybook.verb_json("init", "--data", daybook.directory, "--organization", first)
    tenants = [Tenant(made["organization"], made["api_key"], plan[first])]
    daybook.start()
    plan["bulk"] = bulk_requests(daybook)
    plan["examples"] = example_requests()
    plan["daybook-diary"] = diary_requests()
    for name in others + ["bulk", "examples", "daybook-diary"]:
        made = daybook.verb_json("org", "create", name, "--data", daybook.directory)
        if made["organization"] != name:
            raise AssertionError(f"org create {name} answered {made}")
        tenants.append(Tenant(name, made["api_key"], plan[name]))
    return tenants


def send_with_a_kill(daybook, tenants):
    """All tenants at once; SIGKILL when about half is acknowledged; restart; the senders resend what got no answer."""
    senders = [Sender(daybook, tenant.key, tenant.requests, tenant.ledger) for tenant in tenants]
    total = sum(len(tenant.requests) for tenant in tenants)
    for sender in senders:
        sender.start()
    while any(sender.is_alive() for sender in senders):
        if sum(tenant.ledger.acknowledged_requests for tenant in tenants) * 2 >= total:
            break
        time.sleep(0.001)
    acknowledged = sum(tenant.ledger.acknowledged_requests for tenant in tenants)
    if acknowledged >= total:
        raise AssertionError("the load was over before the kill: it proves nothing")
    daybook.kill()
    daybook.start()
    for sender in senders:
        sender.join(180)
        if sender.is_alive():
            raise AssertionError("the load does not come to its end")
    return acknowledged, total


def check_resending(results, tenant, daybook):
    """What was acknowledged and is sent again gives the same answer and stores nothing."""
    client = Client(daybook, tenant.key)
    problems = []
    for request, first, last in tenant.ledger.acknowledgements[:: max(1, len(tenant.ledger.acknowledgements) // 20)]:
        method, path, body, key = request
        answer = client.request(method, path, body, {"Idempotency-Key": key})
        data = answer.json.get("data", {}) if answer.status in (200, 201) else {}
        again = (data.get("first_sequence", data.get("sequence")), data.get("last_sequence", data.get("sequence")))
        if again != (first, last):
            problems.append(f"{method} {path} ({key}) answered {answer.status} with {again}, first {(first, last)}")
    client.close()
    results.check(f"{tenant.organization}: requests sent again give the same answer", problems)


def check_sealing(results, daybook, organization, seconds=60):
    """Waits until some of the log is sealed: the answers after it come out of segments and the tail alike."""
    deadline = time.monotonic() + seconds
    while True:
        lines = daybook.verb("inspect", "--data", daybook.directory, "--json").splitlines()
        found = [line for line in map(parse, lines) if line.get("organization") == organization][0]
        if found["segments"] > 0 or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    problems = []
    if found["segments"] == 0:
        problems.append("nothing was sealed")
    if found["sealed_through"] >= found["last_sequence"]:
        problems.append("nothing is unsealed")
    results.check(f"{organization}: sealed through {found['sealed_through']} of {found['last_sequence']}", problems)


def check_copy(results, daybook, tenant):
    """Replays a log into another organization over HTTP; but for the organization and the arrival it is the same log.
    Returns the other organization's key."""
    made = daybook.verb_json("org", "create", "copy", "--data", daybook.directory)
    common = ["--data", daybook.directory, "--organization"]
    url = f"http://127.0.0.1:{daybook.port}"
    daybook.verb("replay", *common, tenant.organization, "--output", url, "--key", made["api_key"])
    original, copy = checks.replayed(daybook, tenant.organization), checks.replayed(daybook, "copy")
    problems = [] if len(original) == len(copy) else [f"{len(copy)} events, expected {len(original)}"]
    for wanted, found in zip(original, copy):
        for field in ("organization_id", "created_at"):
            wanted.pop(field)
            found.pop(field)
        if wanted != found:
            problems.append(f"sequence {wanted['sequence']} is {found}, expected {wanted}")
    results.check(f"{tenant.organization}: replay of {len(original)} events into another organization", problems)
    return made["api_key"]


def check_answers(results, daybook, tenants):
    for tenant in tenants:
        if not tenant.requests:
            continue
        client = Client(daybook, tenant.key)
        checks.check_aggregated(results, client, tenant.ledger)
        checks.check_filters(results, client, tenant.ledger)
        checks.check_lists(results, client, tenant.ledger)
        checks.check_sessions(results, client, tenant.ledger)
        if tenant.organization == "examples":
            for path, parameters in examples.S4_QUERIES:
                client.get(path, **parameters)
        client.close()


def run(daybook, results):
    tenants = make_tenants(daybook)
    acknowledged, total = send_with_a_kill(daybook, tenants)
    for tenant in tenants:
        results.check(f"{tenant.organization}: every request acknowledged", tenant.ledger.problems)
        if tenant.requests:
            check_resending(results, tenant, daybook)
    events = sum(len(tenant.ledger.by_sequence) for tenant in tenants)
    sample = sum(len(tenant.ledger.by_sequence) for tenant in tenants[:3])
    results.check("the sample is large enough", [] if sample >= SAMPLE_EVENTS_MIN else [f"{sample} events"])
    active = [tenant for tenant in tenants if tenant.requests]
    check_sealing(results, daybook, "bulk")
    # While the server runs: replay reads the files, the answers come over HTTP.
    lines = {tenant.organization: checks.check_replay(results, daybook, tenant.ledger) for tenant in active}
    check_answers(results, daybook, active)
    # After SIGKILL and without a server: the same events, and not a byte of the store changes.
    daybook.kill()

    def read_offline():
        for tenant in active:
            checks.check_replay(results, daybook, tenant.ledger)
            checks.check_export(results, daybook, tenant.ledger, lines[tenant.organization])

    checks.check_unchanged(results, daybook, "replay and export leave every file as it was", read_offline)
    # Once more from the start: recovery, the same answers, a graceful end.
    daybook.start()
    check_answers(results, daybook, active)
    key = check_copy(results, daybook, tenants[0])
    keeping.check_quota(results, daybook, "copy", key)
    keeping.check_store_quota(results, daybook, "copy", key, tenants[0].key)
    keeping.check_hold(results, daybook, "copy")
    left = keeping.check_erasure(results, daybook, "copy", key)
    collected = collecting.check_import(results, daybook, "collected")
    collecting.check_durability(results, daybook, "collected", collected)
    collecting.check_dead_letters(results, daybook, collected)
    configuring.check_verbs(results, daybook, os.path.dirname(daybook.directory))
    configuring.check_log(results, daybook, "copy", key)
    code = daybook.stop()
    results.check("SIGTERM ends the server with exit code 0", [] if code == 0 else [f"exit code {code}"])
    keeping.check_reapply(results, daybook, "copy", left)
    summary(tenants, acknowledged, total, events)


def summary(tenants, acknowledged, total, events):
    print(f"{'organization':<16}{'requests':>10}{'resent':>8}{'events':>10}")
    for tenant in tenants:
        ledger = tenant.ledger
        print(
            f"{tenant.organization:<16}{ledger.acknowledged_requests:>10}{ledger.resent_requests:>8}"
            f"{len(ledger.by_sequence):>10}"
        )
    print(f"killed with SIGKILL after {acknowledged} of {total} requests; {events} events stored, each found again")
    if not os.path.exists(STEPS):
        print("tools/test has not run: its steps are not in the diary")


def main():
    parser = argparse.ArgumentParser(prog="tools/demo")
    parser.add_argument("--binary", required=True)
    parser.add_argument("--keep", action="store_true", help="leave the temporary store in place")
    options = parser.parse_args()
    work = tempfile.mkdtemp(prefix="daybook-demo-")
    daybook = Daybook(options.binary, os.path.join(work, "store"))
    results = checks.Results()
    try:
        run(daybook, results)
    except Exception as error:  # any failure of the demo is a failed check, with the server's own words
        results.check("the demo runs to its end", [f"{type(error).__name__}: {error}", *server_words(daybook)])
    finally:
        if daybook.process is not None:
            daybook.kill()
        if options.keep or results.failed:
            print(f"the store is in {work}")
        else:
            shutil.rmtree(work)
    print(f"{results.passed} passed, {results.failed} failed")
    return 1 if results.failed else 0


def server_words(daybook):
    try:
        with open(daybook.log_path, encoding="utf-8", errors="replace") as file:
            return [line.rstrip() for line in file.readlines()[-5:]]
    except OSError:
        return []


if __name__ == "__main__":
    sys.exit(main())
