"""What is behind tools/timing.

Both kinds of request alternate on one connection, so that whatever the machine does meets both. They are compared by how often
one that names a foreign thing takes longer than one that names nothing: half of the time when the clock tells nothing. The
median difference alone would call a machine's noise a finding, or hide a small one behind a large median."""

import argparse
import bisect
import os
import statistics
import sys
import tempfile
import time

from client import Client
from server import Daybook

# Of all pairs, how many may be ordered one way more than the other. With 2,000 of each kind chance alone reaches 0.04 once in
# many thousand runs.
DIFFERENCE_MAX = 0.04

# Method, path with the id, body, and two ids of the same length.
EVENT_QUERY = "limit=1&aggregation_window=total"


def cases(acme):
    key, nobodys_key = acme["key_id"], "key_00000000000000ff"
    return [
        ("GET", "/api/v1/users/{}", None, "ada", "eve"),
        ("GET", "/api/v1/teams/{}", None, "core", "none"),
        ("DELETE", "/api/v1/users/{}", None, "ada", "eve"),
        ("DELETE", "/api/v1/keys/{}", None, key, nobodys_key),
        ("POST", "/api/v1/keys/{}/rotate", "{}", key, nobodys_key),
        ("GET", "/api/v1/keys?organization={}", None, "acme", "emca"),
        ("GET", "/api/v1/organizations/{}", None, "acme", "emca"),
        ("PUT", "/api/v1/metrics/session/{}", "{}", "run-1", "run-9"),
        ("POST", "/api/v1/metrics/session/end", '{"session_id":"ID"}', "run-1", "run-9"),
        ("GET", "/api/v1/metrics/sessions?session_id={}", None, "run-1", "run-9"),
        ("GET", "/api/v1/metrics/commands?user_id={}", None, "ada", "eve"),
        ("GET", "/api/v1/metrics/commands?team_id={}", None, "core", "none"),
        ("GET", f"/api/v1/metrics/aggregated?{EVENT_QUERY}&user_id={{}}", None, "ada", "eve"),
    ]


def prepare(daybook):
    acme = daybook.verb_json("init", "--data", daybook.directory, "--organization", "acme")
    globex = daybook.verb_json("org", "create", "globex", "--data", daybook.directory)
    daybook.start()
    owner = Client(daybook, acme["api_key"])
    requests = [
        ("PUT", "/api/v1/teams/core", "{}"),
        ("PUT", "/api/v1/users/ada", '{"team_id":"core"}'),
        ("POST", "/api/v1/metrics/session/start", '{"session_id":"run-1","user_id":"ada"}'),
    ]
    event = '{"command_name":"build","execution_time_ms":1,"status":"success","user_id":"ada"}'
    batch = '{"command_executions":[' + ",".join([event] * 1000) + "]}"
    for method, path, body in requests + [("POST", "/api/v1/metrics/batch", batch)] * 20:
        answer = owner.request(method, path, body)
        if answer.status >= 300:
            raise SystemExit(f"{method} {path} answered {answer.status}: {answer.text[:300]}")
    return acme, Client(daybook, globex["api_key"])


def measure(client, case, count):
    """Microseconds of both kinds, and their statuses."""
    method, path, body, foreign, nobodys = case
    times, statuses = {foreign: [], nobodys: []}, set()
    for number in range(count + 50):
        # Which one is first changes, too.
        for name in (foreign, nobodys) if number % 2 else (nobodys, foreign):
            target = path.format(name)
            sent = body.replace("ID", name) if body else None
            began = time.perf_counter_ns()
            answer = client.request(method, target, sent)
            elapsed = (time.perf_counter_ns() - began) / 1000
            statuses.add(answer.status)
            # The first ones warm caches.
            if number >= 50:
                times[name].append(elapsed)
    return times[foreign], times[nobodys], statuses


def longer(first, second):
    """How often one of the first takes longer than one of the second: 0.5 when they are alike (Mann and Whitney)."""
    ordered = sorted(second)
    below = sum(bisect.bisect_left(ordered, value) + bisect.bisect_right(ordered, value) for value in first)
    return below / 2 / len(first) / len(second)


def main():
    parser = argparse.ArgumentParser(prog="tools/timing")
    parser.add_argument("--binary", default=".build/release/daybook")
    parser.add_argument("--requests", type=int, default=2_000, help="of each kind and case")
    options = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as work:
        daybook = Daybook(os.path.abspath(options.binary), os.path.join(work, "store"))
        try:
            acme, stranger = prepare(daybook)
            print("| request | a foreign id, µs | nobody's, µs | longer |\n| --- | ---: | ---: | ---: |")
            for case in cases(acme):
                foreign, nobodys, statuses = measure(stranger, case, options.requests)
                share = longer(foreign, nobodys)
                differs = abs(share - 0.5) > DIFFERENCE_MAX or len(statuses) != 1
                failed = failed or differs
                print(
                    f"| {case[0]} {case[1]} ({', '.join(map(str, statuses))}) | {statistics.median(foreign):.1f} "
                    f"| {statistics.median(nobodys):.1f} | {share:.3f}{' FAILED' if differs else ''} |",
                    flush=True,
                )
        finally:
            if daybook.process is not None and daybook.process.poll() is None:
                daybook.kill()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
