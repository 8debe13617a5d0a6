import DaybookFormat
import DaybookStore
import DaybookSystem
import DaybookTestSupport
import Testing

@testable import DaybookControl

/// `limits.show` and `limits.set` over a real store.
@Suite struct LimitVerbsTests {
    private struct Opened {
        let store: Store
        let administration: Administration

        func ask(_ request: String) throws -> ParsedJSON {
            try ParsedJSON(parsing: administration.perform(Array(request.utf8)))
        }

        func set(_ fields: String) throws -> ParsedJSON {
            try ask(#"{"verb":"limits.set","organization":"acme",\#(fields)}"#)
        }

        func show() throws -> ParsedJSON { try ask(#"{"verb":"limits.show","organization":"acme"}"#) }
    }

    private func with(
        _ directory: TemporaryDirectory, standard: RateLimitPolicy = .standard, _ body: (Opened) throws -> Void
    ) throws {
        let disk = try PosixDisk(creatingRoot: directory.path)
        let (clock, entropy) = (SystemClock(), SystemEntropy())
        var options = StoreOptions()
        options.journalFileByteCount = 16 << 20
        options.checkpointByteCount = 16 << 20
        options.rateLimits = standard
        if try !disk.exists(Layout.identity) {
            try Store.create(disk: disk, clock: clock, entropy: entropy, options: options)
        }
        let store = try Store.open(disk: disk, clock: clock, entropy: entropy, options: options)
        store.start()
        defer { store.shutdown() }
        let registry = KeyRegistry(store: store, clock: clock, entropy: entropy)
        let opened = Opened(
            store: store, administration: Administration(store: store, registry: registry, clock: clock))
        if store.organizations().isEmpty { _ = try opened.ask(#"{"verb":"org.create","organization":"acme"}"#) }
        try body(opened)
    }

    private func text(_ json: ParsedJSON?) -> String? {
        guard case .text(let bytes) = json else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func anOrganizationHasNoLimitUntilOneIsSetAndThatOutlivesTheProcess() throws {
        let directory = try TemporaryDirectory()
        var set: ParsedJSON?
        try with(directory) { opened in
            let before = try opened.show()
            #expect(text(before["tier"]) == "unlimited")
            for name in ["single_per_minute", "batch_per_minute", "query_per_minute"] { #expect(before[name] == .null) }
            #expect(before["concurrent_batches"]?.unsigned == 5)
            set = try opened.set(#""requests_per_minute":2000,"burst":100,"adaptive":false,"concurrent_batches":9"#)
        }
        try with(directory) { opened in
            let after = try opened.show()
            #expect(after == set)
            #expect(text(after["tier"]) == "own")
            #expect(after["single_per_minute"]?.unsigned == 2_000)
            #expect(after["batch_per_minute"]?.unsigned == 20_000)
            #expect(after["query_per_minute"]?.unsigned == 2_000)
            #expect(after["burst"]?.unsigned == 100)
            #expect(after["adaptive"] == .bool(false))
            #expect(after["concurrent_batches"]?.unsigned == 9)
        }
    }

    @Test func whatWasSetStaysWhenTheServersOwnLimitChanges() throws {
        let directory = try TemporaryDirectory()
        let limited = RateLimitPolicy(.own, ownRequestsPerMinute: 50)
        try with(directory) { opened in
            _ = try opened.ask(#"{"verb":"org.create","organization":"umbrella"}"#)
            // What it has already, but said: nobody limits it later.
            #expect(text(try opened.set(#""tier":"unlimited""#)["tier"]) == "unlimited")
        }
        try with(directory, standard: limited) { opened in
            #expect(text(try opened.show()["tier"]) == "unlimited")
            let other = try opened.ask(#"{"verb":"limits.show","organization":"umbrella"}"#)
            #expect(other["single_per_minute"]?.unsigned == 50 && other["batch_per_minute"]?.unsigned == 500)
            _ = try opened.ask(#"{"verb":"limits.set","organization":"umbrella","concurrent_batches":7}"#)
        }
        try with(directory) { opened in
            let other = try opened.ask(#"{"verb":"limits.show","organization":"umbrella"}"#)
            #expect(other["single_per_minute"]?.unsigned == 50 && other["concurrent_batches"]?.unsigned == 7)
        }
    }

    @Test func whatIsNotNamedStaysButAnotherTierHasNoBurst() throws {
        try with(try TemporaryDirectory()) { opened in
            _ = try opened.set(#""tier":"free","burst":10,"concurrent_batches":7"#)
            let steady = try opened.set(#""adaptive":false"#)
            #expect(text(steady["tier"]) == "free")
            #expect(steady["burst"]?.unsigned == 10)
            let larger = try opened.set(#""tier":"professional""#)
            #expect(larger["single_per_minute"]?.unsigned == 1_000)
            #expect(larger["burst"]?.unsigned == 0)
            #expect(larger["adaptive"] == .bool(false))
            #expect(larger["concurrent_batches"]?.unsigned == 7)
        }
    }

    @Test(arguments: [
        #""tier":"gold""#, #""tier":"own""#, #""tier":7"#, #""tier":"free","requests_per_minute":5"#,
        #""requests_per_minute":0"#, #""requests_per_minute":10000001"#, #""requests_per_minute":"5""#,
        #""requests_per_minute":-1"#, #""burst":1"#, #""tier":"free","burst":101"#, #""tier":"free","burst":-1"#,
        #""adaptive":1"#, #""concurrent_batches":0"#, #""concurrent_batches":1001"#,
        #""tier":"free","concurrent_batches":99999"#,
    ])
    func aWrongFieldIsNamedAndNothingIsSet(fields: String) throws {
        try with(try TemporaryDirectory()) { opened in
            let before = try opened.show()
            let answer = try opened.set(fields)
            #expect(text(answer["code"]) == "validation_failed")
            let named = ["tier", "requests_per_minute", "burst", "adaptive", "concurrent_batches"]
            #expect(named.contains { text(answer["message"])?.hasPrefix($0) == true && fields.contains($0) })
            #expect(try opened.show() == before)
        }
    }

    @Test(arguments: [#""verb":"limits.show""#, #""verb":"limits.set","tier":"free""#])
    func anUnknownOrganizationIsNotFound(fields: String) throws {
        try with(try TemporaryDirectory()) { opened in
            let answer = try opened.ask(#"{\#(fields),"organization":"umbrella"}"#)
            #expect(text(answer["code"]) == "not_found")
        }
    }
}
