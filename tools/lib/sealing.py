"""What sealing, rolling up and merging take from ingest: the same load with and without them, in turn, in one run."""

import os
import statistics
import sys

import queries

ORGANIZATIONS = 100
BATCH = 1000
RATIO_MIN = 0.8

# A log file is sealed when it has 16 MiB, whatever is set: about 70,000 events. In one round no organization gets so many,
# so that without the rest of these settings nothing is sealed at all.
EVENTS_PER_ORGANIZATION = 50_000

WITHOUT = {
    "store.seal_age_seconds": 86_400, "store.seal_events_min": 1_000_000, "store.unsealed_bytes_max": 1 << 50,
    "compaction.merges": "false",
}  # fmt: skip

# The largest logs are looked for twice a second, and sealed as soon as all of them together have 32 MiB: the sealing
# thread always has work, and so has merging.
WITH = {
    "store.seal_age_seconds": 1, "store.unsealed_bytes_max": 32 << 20, "compaction.first_patrol_seconds": 1,
}  # fmt: skip


class SealingBench:
    def __init__(self, bench, work, create_organizations):
        self.bench = bench
        self.work = work
        self.create_organizations = create_organizations
        self.rounds = 2 if bench.quick else 7
        self.events = ORGANIZATIONS * (10_000 if bench.quick else EVENTS_PER_ORGANIZATION)

    def run(self):
        rates = {"with": [], "without": []}
        sealed, merged = [], []
        for number in range(self.rounds):
            # Whoever comes second finds a warmer machine: they take turns.
            for name in ("with", "without") if number % 2 == 0 else ("without", "with"):
                found = self.round(name, f"{name}-{number}")
                rates[name].append(found["events_per_second"])
                if name == "with":
                    sealed.append(found["sealed_events"])
                    merged.append(found["merges"])
                print(f"round {number + 1}, {name}: {found}", file=sys.stderr)
        medians = {name: statistics.median(values) for name, values in rates.items()}
        ratio = medians["with"] / medians["without"]
        pairs = sorted(with_ / without for with_, without in zip(rates["with"], rates["without"]))
        self.bench.details["sealing"] = {"rates": rates, "sealed_events": sealed, "merges": merged, "ratio": ratio}
        self.bench.row(
            f"ingest while sealing, rolling up and merging, against the same without, {self.events:,} events in "
            f"batches of 1,000 for {ORGANIZATIONS} organizations, medians of {self.rounds} rounds each in turn",
            f"{medians['with']:,.0f} and {medians['without']:,.0f} events/s: {ratio:.0%} "
            f"(pairs {pairs[0]:.0%} to {pairs[-1]:.0%}); {statistics.median(sealed):,.0f} events were sealed and "
            f"{statistics.median(merged):,.0f} merges made meanwhile; at least {RATIO_MIN:.0%}: "
            f"{'met' if ratio >= RATIO_MIN else 'missed'}",
            "tools/bench sealing",
        )

    def round(self, name, folder):
        """One load against a fresh store; what was sealed is counted as soon as the last event was acknowledged."""
        work = os.path.join(self.work, folder)
        os.mkdir(work)
        settings = WITH if name == "with" else WITHOUT
        arguments = [text for key, value in settings.items() for text in ("--set", f"{key}={value}")]
        daybook, key = self.bench.store(work, arguments)
        try:
            keys = [key] + self.create_organizations(daybook, ORGANIZATIONS - 1)
            path = os.path.join(work, "keys")
            with open(path, "w", encoding="ascii") as file:
                file.write("\n".join(keys) + "\n")
            report, _ = self.bench.ingest(
                daybook, "--keys", path, "--connections", "4", "--batch", str(BATCH), "--events", str(self.events)
            )
            merges = int(queries.metrics(daybook, key)["daybook_compaction_runs_total"])
            records = queries.organizations(daybook)
        finally:
            daybook.kill()
        sealed = sum(record["sealed_through"] for record in records)
        if name == "without" and sealed > 0:
            raise RuntimeError(f"{sealed} events were sealed although sealing was off: the figure is worth nothing")
        if name == "with" and sealed == 0:
            raise RuntimeError("nothing was sealed: the figure is worth nothing")
        return {"events_per_second": report["events_per_second"], "sealed_events": sealed, "merges": merges}
