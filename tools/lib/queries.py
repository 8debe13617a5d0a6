"""The query figures behind `tools/bench queries`: a dataset of a million events is loaded, sealed and compacted, then
asked warm, cold, beside arriving events, and once more at ten times its size."""

import json
import os
import statistics
import subprocess
import sys
import time

from client import Client
from server import Daybook

TAIL_EVENTS = 50_000
TAIL_BATCH = 100
TAIL_BATCHES_A_SECOND = 200
TAIL_LINES = ("q1", "q3", "q5")
GROWTH_LIMIT = 1.5

FILE_KINDS = {
    ".dbs": "segments", ".dbi": "indexes", ".dbr": "rollups", ".dbk": "carry files", ".dbm": "manifests",
    ".dbl": "log files", ".dba": "history files",
}  # fmt: skip

# Gauges of /metrics that are 0 when a kind of background work has nothing left. Those that a server does not have are
# passed over.
IDLE_GAUGES = (
    "daybook_sealable_logs", "daybook_compaction_running", "daybook_compaction_debt_bytes",
    "daybook_compaction_waiting_logs",
)  # fmt: skip

# Unsealed events that a log may keep for ever: sealing by age leaves fewer alone.
UNSEALED_MAX = 1_024


class QueryBench:
    def __init__(self, bench, work):
        self.bench = bench
        self.work = work
        self.quick = bench.quick
        self.repeat = 20 if self.quick else 50
        # Of the smaller store. The larger one is asked about as many: what lies in them is the same there.
        self.days = 9 if self.quick else 30
        self.results = {}

    def run(self):
        events = 300_000 if self.quick else 1_000_000
        store = Store(self.bench.binary, self.work, "base")
        self.load(store, events, self.days)
        store.restart([])
        base = self.warm(store, "warm")
        self.cold(store)
        self.tail(store)
        store.daybook.kill()
        grown = Store(self.bench.binary, self.work, "grown")
        self.load(grown, 10 * events, 10 * self.days)
        grown.restart([])
        self.growth(base, self.warm(grown, "ten times the events"))
        grown.daybook.kill()
        self.bench.details["queries"] = self.results

    # --- loading

    def load(self, store, events, days):
        # Sealed soon after the last event, so that nobody waits ten minutes for the figures.
        store.start(["--seal-age", "2"])
        report = store.bench_json(
            "load", "--data", store.daybook.directory, "--keys", store.keys_path, "--events", str(events),
            "--span", f"{days}d", "--server-pid", str(store.pid),
        )  # fmt: skip
        seconds = wait_until_settled(store)
        disk = disk_usage(store.daybook)
        self.results[f"load {store.name}"] = {"report": report, "settled_after_seconds": seconds, "disk": disk}
        self.bench.row(
            f"dataset of {events:,} events over {days} days",
            f"{report['events_per_second']:,.0f} events/s loaded, settled {seconds:.0f} s later, "
            f"{report['server']['anonymous_memory_mib_max']:.0f} MiB anonymous at most",
            f"daybook bench load --events {events} --span {days}d",
        )
        kinds = ", ".join(f"{kind} {bytes_ / disk['sealed_events']:.1f}" for kind, bytes_ in disk["kinds"].items())
        self.bench.row(
            f"disk bytes per event, {events:,} events",
            f"{disk['bytes_per_event']:.1f} ({kinds}); {disk['unsealed_events']:,} events are not sealed and not counted",
        )

    # --- warm

    def warm(self, store, what):
        report = store.query("--repeat", str(self.repeat), "--compare", "40", "--newest", f"{self.days}d")
        self.results[what] = report
        for line in report["lines"]:
            self.line_row(line, what)
        comparison = report["comparison"]
        if comparison["with_rollups"]:
            text = f"{comparison['different']} of {comparison['with_rollups']} questions differ"
        else:
            text = "not available: no answer came from rollups"
        self.bench.row(f"{what}: rollups against raw rows", text)
        memory = max(line["anonymous_memory_mib"] for line in report["lines"])
        self.bench.row(f"{what}: server memory while asked", f"{memory:.1f} MiB anonymous")
        return report

    def line_row(self, line, what):
        if "median_ms" not in line:
            text = f"{line['verdict']}: {line.get('first_failure', 'nothing answered')}"
        elif line["verdict"] == "not available":
            text = f"not available: answered from {', '.join(line['sources'])} rows in {line['median_ms']:.2f} ms"
        else:
            text = (
                f"median {line['median_ms']:.2f} ms, p95 {line['p95_ms']:.2f} ms, at most {line.get('limit_ms', 0):.1f}: "
                f"{line['verdict']}; {'+'.join(line['sources'])}, {line.get('scanned_rows', 0):,} rows read"
            )
        self.bench.row(f"{what}: {line['title']}", text, f"daybook bench query --line {line['line']}")

    # --- cold

    def cold(self, store):
        """Each question goes to a server that was just started, with no page of the store in memory."""
        rounds = 3 if self.quick else 10
        plan_path = os.path.join(self.work, "plan.txt")
        store.query_text("--write-plan", plan_path, "--repeat", str(rounds))
        with open(plan_path, encoding="ascii") as file:
            plan = file.read().splitlines(keepends=True)
        times, read = {}, {}
        for question in plan:
            name = question.split("\t", 1)[0]
            store.restart([])
            with open(plan_path, "w", encoding="ascii") as file:
                file.write(question)
            drop_page_cache(store.daybook.directory)
            before = disk_bytes_read(store.pid)
            report = store.query("--plan", plan_path, "--line", name)
            line = report["lines"][0]
            if "median_ms" in line and line["verdict"] != "not available":
                times.setdefault(name, []).append(line["median_ms"])
                read.setdefault(name, []).append(disk_bytes_read(store.pid) - before)
        self.results["cold"] = {"milliseconds": times, "disk_bytes_read": read}
        for name, values in times.items():
            amount = statistics.median(read[name])
            if amount == 0:
                shout(f"{name}: NOTHING WAS READ FROM THE DISK. The page cache was not dropped: this is no cold figure.")
            self.bench.row(
                f"cold: {name}, first question after a start",
                f"median {statistics.median(values):.2f} ms of {len(values)}, slowest {max(values):.2f}; "
                f"{amount / 1024:,.0f} KiB read from the disk" + (" (NOT COLD)" if amount == 0 else ""),
            )

    # --- the newest events unsealed, and more arriving

    def tail(self, store):
        store.restart([])
        store.bench_json(
            "load", "--keys", store.keys_path, "--organizations", "1", "--events", str(TAIL_EVENTS), "--span", "1h",
            "--seed", "2",
        )  # fmt: skip
        others = store.keys_path + ".others"
        with open(others, "w", encoding="ascii") as file:
            file.write("\n".join(store.keys()[1:]) + "\n")
        os.chmod(others, 0o600)
        quiet = store.query(*self.tail_arguments())
        self.tail_rows(store, quiet, "unsealed tail, nothing arrives", unsealed(store))
        for what, keys in (("others", others), ("all", store.keys_path)):
            before = unsealed(store)
            arriving = store.start_ingest(
                "--keys", keys, "--rate", str(TAIL_BATCHES_A_SECOND), "--batch", str(TAIL_BATCH), "--connections", "4",
                "--span", "5m", "--duration", "600",
            )  # fmt: skip
            time.sleep(2)
            report = store.query(*self.tail_arguments())
            arriving.terminate()
            arriving.wait()
            rate = TAIL_BATCH * TAIL_BATCHES_A_SECOND
            self.tail_rows(store, report, f"unsealed tail, {rate:,} events/s arrive at {what}", before)

    def tail_arguments(self):
        arguments = ["--tail", "--repeat", str(self.repeat)]
        for name in TAIL_LINES:
            arguments += ["--line", name]
        return arguments

    def tail_rows(self, store, report, what, before):
        report["unsealed_events_before"] = before
        report["unsealed_events_after"] = unsealed(store)
        self.results[what] = report
        self.bench.row(
            f"{what}: unsealed events of the organization asked",
            f"{before:,} before, {report['unsealed_events_after']:,} after",
        )
        for line in report["lines"]:
            self.line_row(line, what)

    # --- growth

    def growth(self, base, grown):
        medians = {line["line"]: line for line in base["lines"]}
        for line in grown["lines"]:
            before = medians[line["line"]]
            if "median_ms" not in line or "median_ms" not in before or line["verdict"] == "not available":
                continue
            ratio = line["median_ms"] / before["median_ms"]
            promise = "not pruned, nothing promised"
            if line["pruned"]:
                promise = "met" if ratio < GROWTH_LIMIT else "missed"
            self.bench.row(
                f"growth: {line['title']}",
                f"{before['median_ms']:.2f} to {line['median_ms']:.2f} ms, {ratio:.2f} times: {promise}",
            )


class Store:
    """A store with its server, and the verbs that measure it."""

    def __init__(self, binary, work, name):
        self.binary = binary
        self.name = name
        self.keys_path = os.path.join(work, name + ".keys")
        self.daybook = Daybook(binary, os.path.join(work, name))
        made = self.daybook.verb_json("init", "--data", self.daybook.directory, "--organization", "bench")
        self.admin_key = made["api_key"]

    @property
    def pid(self):
        return self.daybook.process.pid

    def keys(self):
        with open(self.keys_path, encoding="ascii") as file:
            return file.read().split()

    def start(self, arguments):
        self.daybook.serve_arguments = arguments
        self.daybook.start()

    def restart(self, arguments):
        self.daybook.stop(60)
        self.start(arguments)

    def bench_json(self, verb, *arguments):
        return json.loads(self.bench_text(verb, "--json", *arguments))

    def bench_text(self, verb, *arguments, allowed=(0,)):
        command = [self.binary, "bench", verb, "--url", f"http://127.0.0.1:{self.daybook.port}", *arguments]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode not in allowed or (not done.stdout and "--json" in arguments):
            raise RuntimeError(f"bench {verb} ended with {done.returncode}: {done.stderr.decode('utf-8', 'replace')}")
        return done.stdout.decode("utf-8")

    def query_text(self, *arguments):
        return self.bench_text("query", "--key", self.keys()[0], *arguments, allowed=(0, 1))

    def query(self, *arguments):
        """The largest organization is asked. Answers that were refused are in the report."""
        return json.loads(self.query_text("--json", "--server-pid", str(self.pid), *arguments))

    def start_ingest(self, *arguments):
        command = [self.binary, "bench", "ingest", "--url", f"http://127.0.0.1:{self.daybook.port}", *arguments]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def organizations(daybook):
    """What the directory says of each organization."""
    lines = daybook.verb("inspect", "store", "--data", daybook.directory, "--json").splitlines()
    return [record for record in map(json.loads, lines) if record["kind"] == "organization"]


def unsealed(store):
    """Unsealed events of the organization that is asked, the one with the most events."""
    largest = max(organizations(store.daybook), key=lambda record: record["last_sequence"])
    return largest["last_sequence"] - largest["sealed_through"]


def wait_until_settled(store, seconds=3_600):
    """Waits until sealing and compaction have nothing left to do; the seconds that it took.

    Three things must hold at once, three times in a row: no log holds as much unsealed as sealing by age would take, no
    gauge of background work is above 0, and the server uses no processor time worth speaking of."""
    began = time.monotonic()
    quiet = 0
    used = processor_seconds(store.pid)
    while quiet < 3:
        if time.monotonic() - began > seconds:
            raise RuntimeError(f"the server still works after {seconds} s")
        time.sleep(1)
        now = processor_seconds(store.pid)
        is_quiet = now - used < 0.03
        used = now
        if is_quiet:
            rest = [record["last_sequence"] - record["sealed_through"] for record in organizations(store.daybook)]
            is_quiet = max(rest, default=0) < UNSEALED_MAX and not busy_gauges(store.daybook, store.admin_key)
            used = processor_seconds(store.pid)
        quiet = quiet + 1 if is_quiet else 0
    return max(0.0, time.monotonic() - began - 3)


def wait_until_quiet(daybook, key, seconds=3_600):
    """Waits until no gauge of background work is above 0 and the server uses no processor time worth speaking of."""
    deadline = time.monotonic() + seconds
    pid = daybook.process.pid
    quiet = 0
    while quiet < 3:
        if time.monotonic() > deadline:
            raise RuntimeError(f"the server still works after {seconds} s")
        used = processor_seconds(pid)
        time.sleep(1)
        quiet = quiet + 1 if processor_seconds(pid) - used < 0.03 and not busy_gauges(daybook, key) else 0


def metrics(daybook, key):
    """Names, with their labels, and values."""
    # A connection of its own: between two looks an idle one may have been closed.
    client = Client(daybook, key)
    text = client.request("GET", "/metrics").text
    client.close()
    lines = [line.partition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def busy_gauges(daybook, key, names=IDLE_GAUGES):
    found = metrics(daybook, key)
    return [name for name, value in found.items() if name.partition("{")[0] in names and value > 0]


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def disk_usage(daybook):
    """Bytes by kind of file in the folders of the organizations, and per event that is sealed."""
    kinds = {}
    for root, _, names in os.walk(os.path.join(daybook.directory, "organizations")):
        for name in names:
            kind = FILE_KINDS.get(os.path.splitext(name)[1], "others")
            kinds[kind] = kinds.get(kind, 0) + os.path.getsize(os.path.join(root, name))
    logs = kinds.pop("log files", 0)
    records = organizations(daybook)
    sealed = sum(record["sealed_through"] for record in records)
    return {
        "kinds": dict(sorted(kinds.items(), key=lambda item: -item[1])),
        "log_file_bytes": logs,
        "segment_count": sum(record["segments"] for record in records),
        "sealed_events": sealed,
        "unsealed_events": sum(record["last_sequence"] for record in records) - sealed,
        "bytes_per_event": sum(kinds.values()) / max(1, sealed),
    }


def drop_page_cache(directory):
    """Asks the kernel to forget the files of a store. Whether it did shows in what the next question reads."""
    os.sync()
    refused = 0
    for root, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(root, name)
            if not os.path.isfile(path):
                continue
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            except OSError:
                refused += 1
            finally:
                os.close(descriptor)
    if refused:
        shout(f"THE PAGE CACHE WAS NOT DROPPED for {refused} files: the figures called cold are not.")


def disk_bytes_read(pid):
    """Bytes that the kernel fetched from a disk for the process."""
    with open(f"/proc/{pid}/io", encoding="ascii") as file:
        for line in file:
            if line.startswith("read_bytes:"):
                return int(line.split()[1])
    raise RuntimeError("no read_bytes")


def shout(text):
    print(f"\n*** {text}\n", file=sys.stderr)
