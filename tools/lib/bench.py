"""The benchmarks behind tools/bench. Client and server share the machine; each benchmark has a fresh store."""

import argparse
import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import fairness
import front
import queries
import sealing
from client import Client, Unanswered, dump
from server import Daybook


class Bench:
    def __init__(self, binary, quick, rounds=None):
        self.binary = binary
        self.quick = quick
        # How often runs that are compared take their turns; None is up to each benchmark.
        self.rounds = rounds
        self.rows = []
        self.details = {}

    def row(self, what, value, command=""):
        self.rows.append((what, value, command))
        print(f"{what}: {value}", file=sys.stderr)

    def store(self, work, serve_arguments=()):
        daybook = Daybook(self.binary, os.path.join(work, "store"))
        daybook.serve_arguments = list(serve_arguments)
        made = daybook.verb_json("init", "--data", daybook.directory, "--organization", "bench")
        daybook.start()
        return daybook, made["api_key"]

    def ingest(self, daybook, *arguments, key=None):
        """The report of one load run, and the command as a person would type it."""
        shown = ["keys.txt" if os.path.isabs(argument) else argument for argument in arguments]
        typed = ["daybook", "bench", "ingest", *shown]
        command = [self.binary, "bench", "ingest", "--url", f"http://127.0.0.1:{daybook.port}", "--json",
                   "--server-pid", str(daybook.process.pid), *arguments]  # fmt: skip
        if key:
            command += ["--key", key]
        done = subprocess.run(command, capture_output=True, check=False)
        if not done.stdout:
            raise RuntimeError(done.stderr.decode("utf-8", "replace"))
        report = json.loads(done.stdout)
        if done.returncode != 0:
            print(f"errors: {report['errors_by_status']}, {report['connection_failures']} lost", file=sys.stderr)
        return report, " ".join(typed)

    def simple(self, work, name, *arguments):
        daybook, key = self.store(work)
        report, command = self.ingest(daybook, *arguments, key=key)
        daybook.kill()
        latency = report["latency_ms"]
        server = report["server"]
        text = (
            f"{report['events_per_second']:,.0f} events/s, p50 {latency['p50']:.3f}, p95 {latency['p95']:.3f}, "
            f"p99 {latency['p99']:.3f} ms, server CPU {server['cpu_seconds_per_million_events']:.1f} s/M, "
            f"{server['anonymous_memory_mib_max']:.0f} MiB, client {report['client_cpu_us_per_request']:.1f} µs/request"
        )
        if "settled_after_seconds" in server:
            text += (
                f"; until nothing is left to seal {server['settled_events_per_second']:,.0f} events/s, "
                f"{server['settled_cpu_seconds_per_million_events']:.1f} s/M"
            )
        self.row(name, text, command)

    # --- the benchmarks, by name

    def single_64(self, work):
        seconds = "3" if self.quick else "15"
        self.simple(work, "single events, 64 connections", "--connections", "64", "--duration", seconds)

    def single_1(self, work):
        seconds = "3" if self.quick else "15"
        self.simple(work, "single events, 1 connection", "--connections", "1", "--duration", seconds)

    def batch_20(self, work):
        seconds = "3" if self.quick else "15"
        self.simple(work, "batches of 20, 1 connection", "--connections", "1", "--batch", "20", "--duration", seconds)

    def batch_1000(self, work):
        events = "1000000" if self.quick else "10000000"
        daybook, key = self.store(work)
        pid = daybook.process.pid
        used, began = queries.processor_seconds(pid), time.monotonic()
        report, command = self.ingest(
            daybook, "--connections", "4", "--batch", "1000", "--events", events, key=key
        )
        millions = report["acknowledged_events"] / 1e6
        sealed = 0
        while sealed < 3:
            sealed = 0 if queries.busy_gauges(daybook, key, ("daybook_sealable_logs",)) else sealed + 1
            time.sleep(0.05)
        sealed_seconds, sealed_used = time.monotonic() - began - 0.15, queries.processor_seconds(pid) - used
        queries.wait_until_quiet(daybook, key)
        settled_used = queries.processor_seconds(pid) - used
        disk = queries.disk_usage(daybook)
        latency, server = report["latency_ms"], report["server"]
        self.row(
            f"batches of 1,000, 4 connections, {int(events):,} events",
            f"{report['events_per_second']:,.0f} events/s, p50 {latency['p50']:.3f}, p95 {latency['p95']:.3f}, "
            f"p99 {latency['p99']:.3f} ms, server CPU {server['cpu_seconds_per_million_events']:.2f} s/M, "
            f"{server['anonymous_memory_mib_max']:.0f} MiB, client {report['client_cpu_us_per_request']:.1f} µs/request; "
            f"until nothing is left to seal {millions * 1e6 / sealed_seconds:,.0f} events/s, {sealed_used / millions:.2f} s/M; "
            f"with all merging {settled_used / millions:.2f} s/M, {disk['bytes_per_event']:.1f} bytes an event on disk",
            command,
        )
        daybook.kill()

    def organizations(self, work):
        """Open loop, the same rate over 1, 100 and 1,000 organizations; median p99 of several runs."""
        daybook, first = self.store(work)
        keys = [first] + create_organizations(daybook, 999)
        path = os.path.join(work, "keys")
        with open(path, "w", encoding="ascii") as file:
            file.write("\n".join(keys) + "\n")
        seconds, runs = ("5", 1) if self.quick else ("60", 5)
        base = None
        for count in (1, 100, 1000):
            values = []
            for _ in range(runs):
                report, command = self.ingest(
                    daybook, "--keys", path, "--organizations", str(count), "--rate", "10000", "--duration", seconds
                )
                values.append(report["latency_ms"]["p99"])
            median = statistics.median(values)
            base = base or median
            self.row(
                f"{count} organizations, open loop, 10,000 single events/s, {seconds} s",
                f"median p99 of {runs} runs {median:.2f} ms, {median / base:.2f} times that of one organization",
                command,
            )
        daybook.kill()

    def memory(self, work):
        daybook, key = self.store(work)
        time.sleep(2)
        self.row("memory, idle", f"{anonymous_mebibytes(daybook.process.pid):.1f} MiB anonymous")
        seconds = "5" if self.quick else "30"
        report, command = self.ingest(daybook, "--rate", "1000", "--duration", seconds, key=key)
        self.row(
            "memory, 1,000 single events/s", f"{report['server']['anonymous_memory_mib_max']:.1f} MiB anonymous", command
        )
        daybook.kill()

    def restart(self, work):
        """SIGKILL with a million sealed events and 64 MiB behind them; from the start of the process to the first answer."""
        daybook, key = self.store(work)
        sealed = "300000" if self.quick else "1000000"
        self.ingest(daybook, "--connections", "4", "--batch", "1000", "--events", sealed, "--until-idle", key=key)
        values = []
        for _ in range(5):
            report, command = self.ingest(
                daybook, "--connections", "4", "--batch", "1000", "--events", "290000", key=key
            )
            daybook.kill()
            values.append(time_to_first_answer(daybook, key))
            time.sleep(5)
        self.row(
            f"restart after SIGKILL, {int(sealed):,} events sealed, the newest 290,000 (64 MiB) just acknowledged",
            f"first answer after {statistics.median(values) * 1000:.0f} ms (median of 5, slowest {max(values) * 1000:.0f})",
            command,
        )
        daybook.kill()

    def many(self, work):
        """Many organizations with one event each: start, memory, descriptors."""
        count = 1000 if self.quick else 10_000
        daybook, key = self.store(work)
        empty = descriptor_count(daybook.process.pid)
        body = dump({"user_id": "bench", "command_name": "one", "execution_time_ms": 1, "status": "success"})
        for made in create_organizations(daybook, count):
            client = Client(daybook, made)
            client.request("POST", "/api/v1/metrics/command-execution", body)
            client.close()
        daybook.kill()
        seconds = time_to_first_answer(daybook, key)
        pid = daybook.process.pid
        self.row(
            f"{count:,} organizations with one event each",
            f"first answer after {seconds * 1000:.0f} ms, {anonymous_mebibytes(pid):.1f} MiB anonymous, "
            f"{descriptor_count(pid) - empty} descriptors more than empty",
        )
        daybook.kill()

    def sealing(self, work):
        """What background work takes from ingest: see tools/lib/sealing.py."""
        sealing.SealingBench(self, work, create_organizations).run()

    def queries(self, work):
        """The query figures: see tools/lib/queries.py."""
        queries.QueryBench(self, work).run()

    def fairness(self, work):
        """What one organization that floods costs nine others: see tools/lib/fairness.py."""
        fairness.FairnessBench(self, work).run()

    def front(self, work):
        """What identity and limits cost: see tools/lib/front.py."""
        front.FrontBench(self, work).compare()

    def single_rate(self, work):
        """Latency at a rate that is far from full load."""
        front.FrontBench(self, work).rate()

    def normal(self, work):
        """Processor time at the load that is normal."""
        front.FrontBench(self, work).normal()


NAMES = {
    "single-64": Bench.single_64,
    "single-1": Bench.single_1,
    "batch-20": Bench.batch_20,
    "batch-1000": Bench.batch_1000,
    "organizations": Bench.organizations,
    "memory": Bench.memory,
    "restart": Bench.restart,
    "many": Bench.many,
    "sealing": Bench.sealing,
    "front": Bench.front,
    "single-rate": Bench.single_rate,
    "normal": Bench.normal,
    "fairness": Bench.fairness,
    "queries": Bench.queries,
}


def create_organizations(daybook, count):
    """Their keys. Over one connection to the admin socket, because starting a verb for each would take minutes."""
    keys = []
    with socket.socket(socket.AF_UNIX) as door:
        # The path of a socket is short; the directory's may not be.
        here = os.getcwd()
        os.chdir(daybook.directory)
        door.connect("admin.sock")
        os.chdir(here)
        lines = door.makefile("rw", encoding="utf-8", newline="\n")
        for number in range(count):
            lines.write(dump({"verb": "org.create", "organization": f"bench-{number}"}) + "\n")
            lines.flush()
            keys.append(json.loads(lines.readline())["api_key"])
    return keys


def time_to_first_answer(daybook, key):
    began = time.monotonic()
    daybook.start()
    client = Client(daybook, key)
    while time.monotonic() - began < 60:
        try:
            answer = client.request("GET", "/api/v1/metrics/commands?limit=1")
            if answer.status == 200:
                return time.monotonic() - began
        except Unanswered:
            pass
        time.sleep(0.001)
    raise RuntimeError("no answer within 60 s")


def anonymous_mebibytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) / 1024
    raise RuntimeError("no RssAnon")


def descriptor_count(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def main():
    parser = argparse.ArgumentParser(prog="tools/bench")
    parser.add_argument("--binary", required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", metavar="FILE", help="everything that was measured, as JSON")
    parser.add_argument("--rounds", type=int, help="how often runs that are compared take their turns")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    unknown = set(options.names) - set(NAMES)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; choose from {', '.join(NAMES)}")
    if options.rounds is not None and options.rounds < 1:
        parser.error("--rounds must be at least 1")
    bench = Bench(options.binary, options.quick, options.rounds)
    for name in options.names or NAMES:
        work = tempfile.mkdtemp(prefix="daybook-bench-")
        try:
            NAMES[name](bench, work)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    print(f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} processors, {platform.machine()}, Linux {platform.release()}\n")
    print("| what | measured | command |\n| --- | --- | --- |")
    for what, value, command in bench.rows:
        print(f"| {what} | {value} | {f'`{command}`' if command else ''} |")
    if options.json:
        rows = [{"what": what, "measured": value, "command": command} for what, value, command in bench.rows]
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"rows": rows, **bench.details}, file, ensure_ascii=False, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
