import DaybookStore
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookControl

/// A store runs by whatever a sound configuration says: its preconditions are never met.
@Suite struct ConfiguredStoreTests {
    /// Every setting of the store at one end of its range, as far as the settings allow each other.
    private func extreme(_ end: (ClosedRange<Int64>) -> Int64) -> Configuration {
        var configuration = Configuration()
        for key in ConfigurationKey.all {
            guard case .integer(let range) = key.form,
                key.name.hasPrefix("store.") || key.name.hasPrefix("memory.")
                    || key.name.hasPrefix("compaction.")
            else { continue }
            var changed = configuration
            #expect(key.apply(.integer(end(range)), to: &changed) == nil)
            if changed.store.contradictions().isEmpty { configuration = changed }
        }
        return configuration
    }

    @Test(arguments: [true, false])
    func aStoreTakesSettingsAtTheEndsOfTheirRanges(isLeast: Bool) throws {
        let configuration = extreme { isLeast ? $0.lowerBound : $0.upperBound }
        let directory = try TemporaryDirectory()
        let disk = try PosixDisk(creatingRoot: directory.path)
        try Store.create(disk: disk, clock: SystemClock(), entropy: SystemEntropy())
        var options = configuration.store
        // Only to spare the test machine's disk.
        options.journalFileByteCount = 24 << 20
        options.checkpointByteCount = min(options.checkpointByteCount, 72 << 20)
        let store = try Store.open(disk: disk, clock: SystemClock(), entropy: SystemEntropy(), options: options)
        store.start()
        defer { store.shutdown() }
        let administration = Administration(
            store: store, registry: KeyRegistry(store: store, clock: SystemClock(), entropy: SystemEntropy()),
            clock: SystemClock(), defaults: configuration.organizations)
        let answer = try ParsedJSON(
            parsing: administration.perform(Array(#"{"verb":"org.create","organization":"acme"}"#.utf8)))
        #expect(answer["organization"]?.string == "acme")
    }
}
