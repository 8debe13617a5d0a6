"""The figures behind `tools/bench front`, `single-rate` and `normal`: what the front door costs.

`front` compares two organizations of one server, which take turns: one sends with an API key and has no limits, the other
has every limit, none of which it reaches, and sends with an access token. Validation and the audit trail are on for both,
because nobody can turn them off. `single-rate` and `normal` have everything on."""

import statistics
import sys

import queries

RATIO_LIMIT = 0.90
RATE_LIMIT = 40_000
P95_LIMIT = 5.0
CPU_LIMIT = 5.0

# A limit that no run reaches: the largest there is.
REQUESTS_A_MINUTE = 10_000_000

# The sources' normal load.
REQUESTS_PER_MINUTE_NORMAL = 1_000
BATCH_NORMAL = 100


class FrontBench:
    def __init__(self, bench, work):
        self.bench = bench
        self.work = work
        self.daybook, self.key = bench.store(work)

    # --- everything on against nothing on

    def compare(self):
        seconds = "3" if self.bench.quick else "15"
        rounds = self.bench.rounds or (1 if self.bench.quick else 5)
        guarded = self.guarded()
        rates = {"plain": [], "guarded": []}
        for number in range(rounds):
            # Which one is first changes from round to round.
            for name in sorted(rates, reverse=number % 2 == 0):
                credential = self.key if name == "plain" else self.token(guarded)
                report, command = self.bench.ingest(
                    self.daybook, "--connections", "64", "--duration", seconds, key=credential
                )
                rates[name].append(report["requests_per_second"])
                print(f"round {number + 1}: {name}: {rates[name][-1]:,.0f}/s", file=sys.stderr)
        plain, limited = (statistics.median(rates[name]) for name in ("plain", "guarded"))
        # Runs that follow each other meet the same machine: their ratios differ less than the rates do.
        ratio = statistics.median(new / old for old, new in zip(rates["plain"], rates["guarded"]))
        self.bench.row(
            f"single events, 64 connections: an access token and limits that are never reached, against an API key without limits",
            f"{limited:,.0f} against {plain:,.0f}/s, {ratio:.3f} times, medians of {rounds} in turn; at least {RATIO_LIMIT:.2f}: "
            f"{verdict(ratio >= RATIO_LIMIT)}; at least {RATE_LIMIT:,}/s with everything on: {verdict(limited >= RATE_LIMIT)}",
            command,
        )
        self.bench.details["front"] = {"rates": rates, "ratio": ratio}
        self.daybook.kill()

    def guarded(self):
        """The id of the first key of an organization with every limit."""
        key_id = self.daybook.verb_json("org", "create", "guarded", "--data", self.daybook.directory)["key_id"]
        self.daybook.verb(
            "limits", "set", "guarded", "--data", self.daybook.directory, "--requests-per-minute", str(REQUESTS_A_MINUTE)
        )
        return key_id

    def token(self, key_id):
        """A fresh one, because tokens do not last."""
        issued = self.daybook.verb_json("token", "issue", key_id, "--data", self.daybook.directory, "--no-refresh")
        return issued["access_token"]

    # --- a rate far from full load

    def rate(self):
        seconds = "5" if self.bench.quick else "30"
        report, command = self.bench.ingest(
            self.daybook, "--rate", "1000", "--duration", seconds, key=self.token(self.guarded())
        )
        latency = report["latency_ms"]
        self.bench.row(
            "single events, 1,000/s, with an access token and limits",
            f"p50 {latency['p50']:.3f}, p95 {latency['p95']:.3f}, p99 {latency['p99']:.3f} ms; p95 below {P95_LIMIT:.0f} ms: "
            f"{verdict(latency['p95'] < P95_LIMIT)}",
            command,
        )
        self.daybook.kill()

    # --- the normal load

    def normal(self):
        seconds = 10 if self.bench.quick else 120
        # Something to ask about.
        guarded = self.guarded()
        self.bench.ingest(
            self.daybook, "--connections", "4", "--batch", "1000", "--events", "100000", key=self.token(guarded)
        )
        queries.wait_until_quiet(self.daybook, self.key)
        report, command = self.bench.ingest(
            self.daybook, "--rate", f"{REQUESTS_PER_MINUTE_NORMAL / 60:.3f}", "--connections", "10", "--batch",
            str(BATCH_NORMAL), "--batches", "5", "--questions", "5", "--duration", str(seconds), key=self.token(guarded),
        )  # fmt: skip
        percent = 100 * report["server"]["cpu_seconds"] / report["seconds"]
        latency = report["latency_ms"]
        self.bench.row(
            f"1,000 requests a minute for {seconds} s: 90 % single events, 5 % batches of {BATCH_NORMAL}, 5 % questions; with an access token and limits",
            f"server {percent:.2f} % of one core, p95 {latency['p95']:.2f} ms; below {CPU_LIMIT:.0f} %: "
            f"{verdict(percent < CPU_LIMIT)}",
            command,
        )
        self.bench.details["normal"] = report
        self.daybook.kill()


def verdict(is_met):
    return "met" if is_met else "missed"
