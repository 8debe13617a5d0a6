"""The figures behind `tools/bench fairness`: nine organizations send and ask a little while a tenth floods.

The server has one half of the processors and the clients have the other, so that what clients cost is not taken for what the
server does. Among the clients those of the flood have the scheduling policy for idle times: the nine have a processor
at once. What busy processors of the clients alone do to the nine is a line of its own."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import queries

QUIET_COUNT = 9
EVENTS_A_SECOND = 40
QUESTIONS_A_SECOND = 20
RATIO_LIMIT = 2.0
RAMP_SECONDS = 1.0
# How long a client may take for its last answers.
PATIENCE_SECONDS = 40

ALONE = "alone"
BUSY = "busy clients"
LIMITED = "single events beyond a limit"

# What the tenth organization does: the load clients that run at once. Batches have as many connections as batches of one
# organization are taken at a time.
FLOODS = {
    "single events": (("--connections", "256"),),
    "batches of 1,000": (("--connections", "5", "--batch", "1000"),),
    "heavy questions": (("--connections", "16", "--questions", "100", "--question", "heavy"),),
}
FLOODS["all together"] = tuple(client for clients in FLOODS.values() for client in clients)
# Of an organization with a limit: all but 83 requests a second are refused.
FLOODS[LIMITED] = FLOODS["single events"]

PROCESSORS = sorted(os.sched_getaffinity(0))
# With one processor both have that one.
SERVER_PROCESSORS = set(PROCESSORS[: max(1, len(PROCESSORS) // 2)])
CLIENT_PROCESSORS = set(PROCESSORS[len(PROCESSORS) // 2 :])

# What the nine do.
WHAT = ("single", "question")


class FairnessBench:
    def __init__(self, bench, work):
        self.bench = bench
        self.work = work
        self.events = 300_000 if bench.quick else 2_000_000
        self.rounds = bench.rounds or (1 if bench.quick else 5)
        self.seconds = 5 if bench.quick else 15
        self.kinds = [ALONE, BUSY, *FLOODS]
        self.runs = {kind: [] for kind in self.kinds}

    def run(self):
        store = queries.Store(self.bench.binary, self.work, "fair")
        store.daybook.processors = SERVER_PROCESSORS
        store.start(["--seal-age", "2"])
        # The first organization, with a quarter of the events, is the one that floods.
        store.bench_json(
            "load", "--data", store.daybook.directory, "--keys", store.keys_path, "--events", str(self.events),
            "--organizations", str(QUIET_COUNT + 1), "--span", "30d",
        )  # fmt: skip
        queries.wait_until_quiet(store.daybook, store.admin_key)
        quiet = store.keys_path + ".quiet"
        with open(quiet, "w", encoding="ascii") as file:
            file.write("\n".join(store.keys()[1:]) + "\n")
        os.chmod(quiet, 0o600)
        # Organizations are opened, tails and caches are made before anything counts.
        self.measure(store, quiet, ALONE)
        for number in range(self.rounds):
            for kind in self.kinds:
                run = self.measure(store, quiet, kind)
                self.runs[kind].append(run)
                print(f"round {number + 1}: {kind}: {brief(run)}", file=sys.stderr)
                queries.wait_until_quiet(store.daybook, store.admin_key)
        store.daybook.kill()
        self.report()

    # --- one run

    def measure(self, store, quiet, kind):
        """What the nine saw while the tenth did this. Events and questions have connections of their own: what waits for
        an answer must not keep the other kind from being sent."""
        if kind == LIMITED:
            set_tier(store, "enterprise")
        clients = self.start_flood(store, kind)
        time.sleep(RAMP_SECONDS)
        asking = ("--rate", str(QUIET_COUNT * QUESTIONS_A_SECOND), "--questions", "100")
        sending = ("--rate", str(QUIET_COUNT * EVENTS_A_SECOND), "--server-pid", str(store.pid))
        running = [self.start_quiet(store, quiet, arguments) for arguments in (sending, asking)]
        reports = [end_client(client, self.seconds + PATIENCE_SECONDS) for client in running]
        if kind == BUSY:
            for client in clients:
                client.terminate()
        floods = [end_client(client, PATIENCE_SECONDS) for client in clients]
        if kind == LIMITED:
            set_tier(store, "unlimited")
        if None in reports:
            raise RuntimeError("a client of the nine ended without a report")
        return {"single": reports[0], "question": reports[1], "floods": [flood for flood in floods if flood]}

    def start_quiet(self, store, quiet, arguments):
        return start_client([
            store.binary, "bench", "ingest", "--url", f"http://127.0.0.1:{store.daybook.port}", "--json", "--keys", quiet,
            "--connections", str(3 * QUIET_COUNT), "--duration", str(self.seconds), "--span", "5m", *arguments,
        ])  # fmt: skip

    def start_flood(self, store, kind):
        if kind == BUSY:
            command = [sys.executable, "-c", "while True: pass"]
            return [start_client(command, yield_to_all) for _ in CLIENT_PROCESSORS]
        clients = []
        for arguments in FLOODS.get(kind, ()):
            command = [
                store.binary, "bench", "ingest", "--url", f"http://127.0.0.1:{store.daybook.port}", "--json",
                "--key", store.keys()[0], "--duration", str(self.seconds + 2 * RAMP_SECONDS), "--span", "5m", *arguments,
            ]  # fmt: skip
            clients.append(start_client(command, yield_to_all))
        return clients

    # --- what came out

    def report(self):
        figures = {kind: self.figures(kind) for kind in self.kinds}
        alone = figures[ALONE]
        for kind in self.kinds:
            texts = []
            for what in WHAT:
                figure, base = figures[kind][what], alone[what]
                figure["p99_ratio"] = figure["p99"] / base["p99"]
                figure["p50_ratio"] = figure["p50"] / base["p50"]
                text = f"{what}s p50 {figure['p50']:.2f}, p99 {figure['p99']:.2f} ms"
                if kind != ALONE:
                    text += f" ({figure['p99_ratio']:.2f} times)"
                texts.append(text)
            if kind in FLOODS:
                met = all(figures[kind][what]["p99_ratio"] <= RATIO_LIMIT for what in WHAT)
                texts.append("met" if met else "missed")
            texts.append(shares(figures[kind]))
            what = "nine organizations, alone" if kind == ALONE else f"nine organizations, a tenth: {kind}"
            self.bench.row(what, "; ".join(texts), f"tools/bench fairness, {self.rounds} rounds of {self.seconds} s")
        self.bench.details["fairness"] = {"figures": figures, "runs": self.runs}

    def figures(self, kind):
        """Medians over the rounds."""
        runs = self.runs[kind]
        found = {}
        for what in WHAT:
            values = [run[what]["latency_ms"] for run in runs]
            found[what] = {name: statistics.median(value[name] for value in values) for name in ("p50", "p95", "p99")}
        found["errors"] = sum(sum(run[what]["errors_by_status"].values()) for run in runs for what in WHAT)
        found["quiet_client_share"] = statistics.median(
            sum(run[what]["client_cpu_seconds"] / run[what]["seconds"] for what in WHAT) for run in runs
        )
        servers = [run["single"]["server"] for run in runs]
        found["server_share"] = statistics.median(
            server["cpu_seconds"] / run["single"]["seconds"] for server, run in zip(servers, runs)
        )
        found["server_memory_mib"] = max(server["anonymous_memory_mib_max"] for server in servers)
        found["flood_share"] = statistics.median(
            sum(flood["client_cpu_seconds"] / max(flood["seconds"], 1e-9) for flood in run["floods"]) for run in runs
        )
        found["floods"] = [
            {
                "requests_per_second": statistics.median(run["floods"][index]["requests_per_second"] for run in runs),
                "events_per_second": statistics.median(run["floods"][index]["events_per_second"] for run in runs),
                "p99_ms": statistics.median(run["floods"][index]["latency_ms"]["p99"] for run in runs),
                "errors_by_status": runs[-1]["floods"][index]["errors_by_status"],
            }
            for index in range(len(runs[0]["floods"]))
        ]
        return found


def brief(run):
    parts = []
    for what in WHAT:
        latency = run[what]["latency_ms"]
        parts.append(f"{what}s p50 {latency['p50']:.2f} p99 {latency['p99']:.2f} max {latency['max']:.1f} ms")
    parts += [f"flood {flood['requests_per_second']:,.0f}/s {flood['errors_by_status'] or ''}" for flood in run["floods"]]
    errors = [run[what]["errors_by_status"] for what in WHAT if run[what]["errors_by_status"]]
    return ", ".join(parts) + (f", errors {errors}" if errors else "")


def shares(figure):
    text = (
        f"processors: server {figure['server_share']:.2f}, flood's clients {figure['flood_share']:.2f}, "
        f"the nine's client {figure['quiet_client_share']:.2f}; server {figure['server_memory_mib']:.0f} MiB"
    )
    for flood in figure["floods"]:
        text += f"; flood {flood['requests_per_second']:,.0f} requests/s"
        if flood["errors_by_status"]:
            text += f" (refused {flood['errors_by_status']})"
    if figure["errors"]:
        text += f"; {figure['errors']} of the nine's requests refused"
    return text


def set_tier(store, tier):
    """Of the organization that floods."""
    largest = max(queries.organizations(store.daybook), key=lambda record: record["last_sequence"])
    store.daybook.verb("limits", "set", largest["organization"], "--data", store.daybook.directory, "--tier", tier)


def be_client():
    os.sched_setaffinity(0, CLIENT_PROCESSORS)


def yield_to_all():
    """Of a client that runs when no other wants the processor."""
    be_client()
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def start_client(command, before=be_client):
    """Output goes to a file, so that the client never waits for somebody to read it."""
    output = tempfile.TemporaryFile()
    process = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL, preexec_fn=before)
    process.output = output
    return process


def end_client(process, seconds):
    """The report of a load client, which ends by itself; nothing of one that never does."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.wait()
    process.output.seek(0)
    text = process.output.read()
    process.output.close()
    return json.loads(text) if text else None
