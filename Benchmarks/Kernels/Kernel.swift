import Benchmark
import CAllocations

/// Allocations of one iteration: the same on every machine, and so what the thresholds are about.
let allocations = BenchmarkMetric.custom("allocations")

/// Registers a kernel. Its name becomes a file name, and the library does not find those with blanks again.
///
/// - Parameters:
///   - prepare: what is not measured; its result is handed to each iteration.
///   - run: one iteration.
func kernel<Input>(
    _ name: String, prepare: @escaping () throws -> Input, run body: @escaping (Input) throws -> Void
) {
    precondition(!name.contains(" ") && !name.contains("/"))
    Benchmark(name) { benchmark in
        let input = try prepare()
        benchmark.startMeasurement()
        let before = daybook_allocation_count()
        for _ in benchmark.scaledIterations { try body(input) }
        let after = daybook_allocation_count()
        benchmark.stopMeasurement()
        benchmark.measurement(allocations, Int(after - before))
    }
}

func kernel(_ name: String, _ body: @escaping () throws -> Void) {
    kernel(name, prepare: {}, run: { _ in try body() })
}
