"""The crash and fault checks behind tools/crash."""

import argparse
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid

import queries
from client import Client, Unanswered, dump
from server import Daybook, VerbFailed
from strace import StraceMissing, Tracer

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROUTE = "/api/v1/metrics/command-execution"
LINE = re.compile(rb'"sequence":(\d+),"id":"([0-9a-f-]{36})"')
NTH = 40
# Events of the load that each server of the kill loop has acknowledged before its last moments begin. With it at most 320
# acknowledgements are lost on their way: 16 connections with batches of 20.
UNDER_LOAD = 500


class Failure(Exception):
    pass


def expect(condition, text):
    if not condition:
        raise Failure(text)


def event(name="crash-check"):
    return {
        "id": str(uuid.uuid4()),
        "user_id": "crash",
        "command_name": name,
        "execution_time_ms": 12.5,
        "status": "success",
        "context": {"project": "daybook"},
    }


def stored(daybook, organization):
    """{event id: sequence} of the whole log; sequences must be dense and ids unique."""
    command = [daybook.binary, "replay", "--data", daybook.directory, "--organization", organization]
    found = {}
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    wanted = 1
    for line in process.stdout:
        match = LINE.search(line)
        expect(match, f"replay printed a line without sequence and id: {line[:200]!r}")
        expect(int(match.group(1)) == wanted, f"sequence {match.group(1).decode()} stands where {wanted} must be")
        identifier = match.group(2).decode()
        expect(identifier not in found, f"event {identifier} is stored twice")
        found[identifier] = wanted
        wanted += 1
    expect(process.wait() == 0, f"replay ended with {process.returncode}")
    return found


class Single(threading.Thread):
    """Sends single events one after the other and notes each answer's status, code and time."""

    def __init__(self, daybook, key, limit=10_000):
        super().__init__(daemon=True)
        self.client = Client(daybook, key)
        self.limit = limit
        self.acknowledged = []
        self.refused = []
        self.milliseconds = []

    def run(self):
        for _ in range(self.limit):
            body = event()
            began = time.monotonic()
            try:
                answer = self.client.request("POST", ROUTE, dump(body), {"Idempotency-Key": body["id"]})
            except Unanswered:
                return
            self.milliseconds.append((time.monotonic() - began) * 1000)
            if answer.status == 201:
                self.acknowledged.append(body["id"])
            else:
                self.refused.append((body, answer.status, (answer.json or {}).get("code")))
                return


def check_acknowledged(found, identifiers, when):
    missing = [identifier for identifier in identifiers if identifier not in found]
    expect(not missing, f"{len(missing)} of {len(identifiers)} acknowledged events are missing {when}: {missing[:3]}")


# --- kill-loop


def kill_loop(binary, work, options):
    daybook = Daybook(binary, os.path.join(work, "store"))
    made = daybook.verb_json("init", "--data", daybook.directory, "--organization", "crash")
    random_source = random.Random(4711)
    acknowledged = set()
    batches = []
    restart_seconds = []
    for number in range(options.kills):
        began = time.monotonic()
        daybook.start()
        restart_seconds.append(time.monotonic() - began)
        ledger = os.path.join(work, "ledger")
        if os.path.exists(ledger):
            os.remove(ledger)
        load = subprocess.Popen(
            [binary, "bench", "ingest", "--url", f"http://127.0.0.1:{daybook.port}", "--key", made["api_key"],
             "--connections", "16", "--duration", "30", "--batch", random_source.choice(["1", "20"]),
             "--ledger", ledger, "--json"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_for_acknowledgements(daybook, made["api_key"], UNDER_LOAD)
        sender = BatchSender(daybook, made["api_key"])
        sender.start()
        # Waits for nothing: the kill comes at any time of a load that is under way.
        time.sleep(random_source.uniform(0.05, 0.7))
        daybook.kill()
        expect(load.wait(60) is not None, "the load client does not end")
        sender.join(60)
        batches += sender.batches
        for batch, answered in sender.batches:
            if answered:
                acknowledged.update(batch)
        with open(ledger, encoding="ascii") as file:
            acknowledged.update(line.strip() for line in file)
        if number % 20 == 19 or number == options.kills - 1:
            found = stored(daybook, "crash")
            check_acknowledged(found, acknowledged, f"after {number + 1} kills")
            for batch, answered in batches:
                there = sum(identifier in found for identifier in batch)
                expect(there in (0, len(batch)), f"{there} of {len(batch)} events of a batch are stored")
    expect(len(acknowledged) >= 100 * options.kills, f"only {len(acknowledged)} acknowledgements: the load was no load")
    print(
        f"{options.kills} kills, {len(acknowledged)} acknowledged events, none lost, none twice, batches whole or absent;"
        f" slowest restart {max(restart_seconds) * 1000:.0f} ms"
    )


def wait_for_acknowledgements(server, key, count, seconds=60):
    """Until the running server has acknowledged that many events."""
    deadline = time.monotonic() + seconds
    while queries.metrics(server, key)["daybook_events_acknowledged_total"] < count:
        expect(time.monotonic() < deadline, f"{count} events are not acknowledged within {seconds} s: the load is no load")
        time.sleep(0.01)


class BatchSender(threading.Thread):
    """Sends batches of 50 with known ids, to see that a kill leaves each whole or absent."""

    def __init__(self, daybook, key):
        super().__init__(daemon=True)
        self.client = Client(daybook, key)
        self.batches = []

    def run(self):
        while True:
            events = [event() for _ in range(50)]
            identifiers = [item["id"] for item in events]
            try:
                answer = self.client.request("POST", "/api/v1/metrics/batch", dump({"command_executions": events}))
            except Unanswered:
                self.batches.append((identifiers, False))
                return
            self.batches.append((identifiers, answer.status == 200))


# --- read-beside


def read_beside(binary, work, options):
    """Replay beside a server that takes in, checkpoints and seals: each time a prefix of the log, and a later one more."""
    directory, key = make_store(binary, work)
    daybook = Daybook(binary, directory)
    daybook.start()
    load = subprocess.Popen(
        [binary, "bench", "ingest", "--url", f"http://127.0.0.1:{daybook.port}", "--key", key,
         "--connections", "2", "--events", "400000", "--batch", "500", "--json",
         "--ledger", os.path.join(work, "ledger")],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    client = Client(daybook, key)
    before = []
    rounds = 0
    try:
        ended = False
        while not ended or rounds < 3:
            # The last round begins after the load has ended.
            ended = load.poll() is not None
            meta = client.get("/api/v1/metrics/commands", limit=1)["data"]["meta"]
            found = list(stored(daybook, "crash"))
            visible = meta["as_of_sequence"]
            expect(len(found) >= visible, f"{len(found)} events replayed, {visible} were visible before")
            expect(found[: len(before)] == before, "a later replay does not begin with an earlier one")
            before = found
            rounds += 1
        expect(load.returncode == 0, f"the load ended with {load.returncode}")
        expect(len(before) == 400_000, f"{len(before)} of 400000 events are replayed at the end")
        overview = Daybook(binary, directory).verb("inspect", "--data", directory)
        expect("segments 0," not in overview, "nothing was sealed: the check did not see a sealing")
    finally:
        if load.poll() is None:
            load.kill()
        daybook.kill()
    print(f"{rounds} replays beside a load of 400000 events, each a prefix of the next")


# --- faults


def make_store(binary, work):
    directory = os.path.join(work, "store")
    made = Daybook(binary, directory).verb_json("init", "--data", directory, "--organization", "crash")
    return directory, made["api_key"]


def attach(daybook, *options):
    return Tracer(daybook.process.pid, daybook.directory + ".trace", options)


def load_until_refused(daybook, key, threads=4, limit=10_000):
    senders = [Single(daybook, key, limit) for _ in range(threads)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(60)
        expect(not sender.is_alive(), "requests hang after the fault")
    acknowledged = [identifier for sender in senders for identifier in sender.acknowledged]
    refused = [entry for sender in senders for entry in sender.refused]
    return acknowledged, refused


def check_reads_work(daybook, key, acknowledged):
    client = Client(daybook, key)
    answer = client.request("GET", "/api/v1/metrics/commands?limit=1000")
    expect(answer.status == 200, f"a list answered {answer.status} after the fault: {answer.text[:200]}")
    listed = {item["id"] for item in answer.json["data"]["items"]}
    missing = [identifier for identifier in acknowledged[-100:] if identifier not in listed]
    expect(len(acknowledged) > 900 or not missing, f"{len(missing)} acknowledged events are not listed after the fault")
    return client


def check_after_restart(binary, directory, key, acknowledged, unknown):
    """Everything acknowledged is there; what was answered with 503 can be sent again and is then there once."""
    daybook = Daybook(binary, directory)
    daybook.start()
    try:
        client = Client(daybook, key)
        for body, status, code in unknown:
            answer = client.request("POST", ROUTE, dump(body), {"Idempotency-Key": body["id"]})
            expect(answer.status == 201, f"sent again after the restart it answered {answer.status}: {answer.text[:200]}")
    finally:
        daybook.kill()
    found = stored(daybook, "crash")
    check_acknowledged(found, acknowledged + [body["id"] for body, _, _ in unknown], "after the restart")


def sync_error(binary, work, options):
    directory, key = make_store(binary, work)
    daybook = Daybook(binary, directory)
    daybook.start()
    try:
        trace = attach(daybook, "-e", "trace=fdatasync", "-e", f"inject=fdatasync:error=EIO:when={NTH}")
        acknowledged, refused = load_until_refused(daybook, key)
        expect(acknowledged, "nothing was acknowledged before the fault")
        expect(refused, "no request was refused although a sync failed")
        for _, status, code in refused:
            expect(
                (status, code) in ((503, "durability_unknown"), (503, "storage_unavailable")),
                f"a failed sync was answered with {status} {code}",
            )
        expect(any(code == "durability_unknown" for _, _, code in refused), "no answer says durability_unknown")
        client = check_reads_work(daybook, key, acknowledged)
        again = client.request("POST", ROUTE, dump(event()))
        expect(again.status == 503, f"ingest after a failed sync answered {again.status}")
        health = client.request("GET", "/health")
        expect(health.status == 503, f"/health answers {health.status} after a failed sync")
        live = client.request("GET", "/health/live")
        expect(live.status == 200, f"/health/live answers {live.status} after a failed sync")
    finally:
        daybook.kill()
    trace.wait()
    syncs = [call for call in trace.calls() if call[3] == "fdatasync"]
    failed = [position for position, call in enumerate(syncs) if call[5] != 0]
    expect(failed, "the trace holds no failed sync: nothing was injected")
    later = [call for call in syncs[failed[0] + 1 :] if call[0] > syncs[failed[0]][1] and call[2] == syncs[failed[0]][2]]
    expect(not later, f"the committing thread synced {len(later)} times after a failed sync")
    check_after_restart(binary, directory, key, acknowledged, refused)
    print(f"EIO on fdatasync {NTH}: {len(acknowledged)} acknowledged before it, {len(refused)} refused, none lost")


def write_error(binary, work, options):
    """Once, and for good: a disk that is full stays full until somebody makes room."""
    for name, when in (("once", f"{NTH}"), ("from then on", f"{NTH}+")):
        place = os.path.join(work, name.replace(" ", "-"))
        os.mkdir(place)
        directory, key = make_store(binary, place)
        calls = "pwrite64,pwritev,pwritev2"
        daybook = Daybook(binary, directory)
        daybook.start()
        try:
            trace = attach(daybook, "-e", f"trace={calls}", "-e", f"inject={calls}:error=ENOSPC:when={when}")
            acknowledged, refused = load_until_refused(daybook, key, limit=400)
            expect(acknowledged, "nothing was acknowledged before the fault")
            expect(refused, "no request was refused although a write failed")
            for _, status, code in refused:
                expect(
                    (status, code) in ((503, "storage_unavailable"), (503, "durability_unknown")),
                    f"a failed write was answered with {status} {code}",
                )
            client = check_reads_work(daybook, key, acknowledged)
            if when.endswith("+"):
                again = client.request("POST", ROUTE, dump(event()))
                expect(again.status == 503, f"ingest into a full disk answered {again.status}")
        finally:
            daybook.kill()
        trace.wait()
        expect(any(call[5] == -1 for call in trace.calls()), "the trace holds no failed write: nothing was injected")
        check_after_restart(binary, directory, key, acknowledged, refused)
        print(f"ENOSPC on write {NTH}, {name}: {len(acknowledged)} acknowledged, {len(refused)} refused, none lost")


def slow_sync(binary, work, options):
    directory, key = make_store(binary, work)
    daybook = Daybook(binary, directory)
    daybook.start()
    try:
        attach(daybook, "-e", "trace=fdatasync", "-e", "inject=fdatasync:delay_enter=50000")
        sender = Single(daybook, key, limit=40)
        sender.start()
        sender.join(60)
        expect(len(sender.acknowledged) == 40, f"only {len(sender.acknowledged)} of 40 were acknowledged: {sender.refused}")
        median = statistics.median(sender.milliseconds)
        expect(median >= 50, f"the p50 is {median:.1f} ms: answers do not wait for the sync")
        expect(min(sender.milliseconds) >= 50, f"one answer came after {min(sender.milliseconds):.1f} ms, before its sync")
    finally:
        daybook.kill()
    print(f"every fdatasync 50 ms slower: p50 {median:.1f} ms, fastest {min(sender.milliseconds):.1f} ms")


def sync_order(binary, work, options):
    directory, key = make_store(binary, work)
    writes = ("pwrite64", "pwritev", "pwritev2")
    sends = ("write", "writev", "sendto", "sendmsg")
    traced = ",".join(writes + sends + ("fdatasync",))
    daybook = Daybook(binary, directory)
    daybook.start()
    bodies = [event(f"traced-{number:04}-end") for number in range(50)]
    try:
        trace = attach(daybook, "-s", "4096", "-e", f"trace={traced}")
        client = Client(daybook, key)
        for body in bodies:
            answer = client.request("POST", ROUTE, dump(body))
            expect(answer.status == 201, f"answered {answer.status}: {answer.text[:200]}")
        # One more, so that the trace of the last one that counts is complete when the server is killed.
        client.request("POST", ROUTE, dump(event("traced-after")))
    finally:
        daybook.kill()
    trace.wait()
    calls = trace.calls()
    for body in bodies:
        written = [call for call in calls if call[3] in writes and body["command_name"] in call[4]]
        expect(written, f"the trace shows no write of {body['command_name']}")
        written = min(written, key=lambda call: call[1])
        descriptor = written[4].split(",")[0]
        answered = [call for call in calls if call[3] in sends and body["id"] in call[4]]
        expect(answered, f"the trace shows no answer for {body['command_name']}")
        first_answer = min(call[0] for call in answered)
        synced = [
            call
            for call in calls
            if call[3] == "fdatasync"
            and call[5] == 0
            and call[4].split(",")[0].strip() == descriptor
            and call[0] > written[1]
            and call[1] < first_answer
        ]
        expect(synced, f"no completed fdatasync({descriptor}) between write and answer of {body['command_name']}")
    print(f"{len(bodies)} payloads: write, completed fdatasync of the same file, answer, in this order each time")


CHECKS = {
    "kill-loop": kill_loop,
    "read-beside": read_beside,
    "sync-error": sync_error,
    "write-error": write_error,
    "slow-sync": slow_sync,
    "sync-order": sync_order,
}


def main():
    parser = argparse.ArgumentParser(prog="tools/crash")
    parser.add_argument("check", choices=sorted(CHECKS))
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--binary", default=os.path.join(ROOT, ".build", "release", "daybook"))
    options = parser.parse_args()
    if not os.access(options.binary, os.X_OK):
        print(f"{options.check} FAILED: there is no binary {options.binary}; run: swift build -c release")
        return 1
    work = tempfile.mkdtemp(prefix="daybook-crash-")
    try:
        CHECKS[options.check](options.binary, work, options)
    except (Failure, StraceMissing, VerbFailed, Unanswered, OSError, subprocess.TimeoutExpired) as error:
        print(f"{options.check} FAILED: {type(error).__name__}: {error}; the store is in {work}")
        return 1
    shutil.rmtree(work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
