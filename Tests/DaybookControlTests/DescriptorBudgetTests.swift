import Testing

@testable import DaybookControl

/// Connections, open segments and everything else against the open files that the system allows.
@Suite struct DescriptorBudgetTests {
    private func configuration(_ settings: [String]) throws -> Configuration {
        var sources = ConfigurationSources()
        sources.flags = settings.map { ConfigurationSources.Flag("--set", $0) }
        return try Configuration(sources)
    }

    private func sum(_ configuration: Configuration) -> Int {
        configuration.server.connectionCountMax + configuration.store.openSegmentCountMax
            + configuration.ownDescriptorCountMax
    }

    @Test func whatFitsStaysAsItIs() throws {
        var configuration = try configuration([])
        let limit = sum(configuration)
        #expect(limit > 4_096 + 256 + 256)
        #expect(try configuration.fit(descriptorLimit: limit) == [])
        #expect(configuration.server.connectionCountMax == 4_096)
        #expect(configuration.store.openSegmentCountMax == 256)
    }

    @Test func defaultsGiveWayConnectionsFirst() throws {
        let standard = try configuration([])
        for limit in [sum(standard) - 1, 4_096, 1_024, sum(standard) - 4_096 + 64] {
            var configuration = standard
            let lowered = try configuration.fit(descriptorLimit: limit)
            #expect(lowered.map(\.name) == ["server.connections"], "\(limit)")
            #expect(lowered.first?.standard == 4_096)
            #expect(lowered.first?.value == configuration.server.connectionCountMax)
            #expect(configuration.store.openSegmentCountMax == 256)
            #expect(sum(configuration) == limit)
        }
        var least = standard
        let limit = standard.ownDescriptorCountMax + 64 + 32
        #expect(
            try least.fit(descriptorLimit: limit) == [
                LoweredSetting(name: "server.connections", standard: 4_096, value: 64),
                LoweredSetting(name: "memory.open_segments", standard: 256, value: 32),
            ])
        #expect(sum(least) == limit)
    }

    @Test func whatWasSetIsNotLowered() throws {
        var connections = try configuration(["server.connections=500"])
        let limit = connections.ownDescriptorCountMax + 500 + 40
        #expect(
            try connections.fit(descriptorLimit: limit) == [
                LoweredSetting(name: "memory.open_segments", standard: 256, value: 40)
            ])
        #expect(connections.server.connectionCountMax == 500)
        var segments = try configuration(["memory.open_segments=1000"])
        let room = segments.ownDescriptorCountMax + 1_000 + 70
        #expect(
            try segments.fit(descriptorLimit: room) == [
                LoweredSetting(name: "server.connections", standard: 4_096, value: 70)
            ])
        #expect(segments.store.openSegmentCountMax == 1_000)
    }

    @Test(arguments: [
        ["server.connections=5000"], ["memory.open_segments=5000"],
        ["server.connections=900", "memory.open_segments=800"], [],
    ])
    func whatCannotHoldIsRefusedWithNamesAndLimits(settings: [String]) throws {
        let wanted = try configuration(settings)
        let limit = settings.isEmpty ? wanted.ownDescriptorCountMax + 95 : 2_000
        var configuration = wanted
        let faults = #expect(throws: ConfigurationFaults.self) { try configuration.fit(descriptorLimit: limit) }
        let text = faults?.description ?? ""
        for part in ["server.connections (", "memory.open_segments (", "the \(limit) open files", "ulimit -n"] {
            #expect(text.contains(part), "\(text)")
        }
        #expect(faults?.list.count == 1)
        let name = settings.first?.split(separator: "=").first.map(String.init) ?? "server.connections"
        #expect(faults?.list.first?.name == name)
        // Nothing was changed on the way.
        #expect(configuration.server == wanted.server)
        #expect(configuration.store.openSegmentCountMax == wanted.store.openSegmentCountMax)
    }

    @Test func everyThreadAndEventLoopCounts() throws {
        let few = try configuration([]).ownDescriptorCountMax
        #expect(try configuration(["server.event_loops=2"]).ownDescriptorCountMax == few + 5)
        #expect(try configuration(["server.query_threads=4"]).ownDescriptorCountMax == few + 12)
    }
}
