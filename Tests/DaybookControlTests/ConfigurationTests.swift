import DaybookFormat
import DaybookStore
import Testing

@testable import DaybookControl

private func sources(
    file: String? = nil, _ variables: [String: String] = [:], _ flags: [(String, String)] = []
) -> ConfigurationSources {
    var sources = ConfigurationSources()
    sources.file = file.map { ConfigurationSources.File(path: "/etc/daybook.toml", bytes: Array($0.utf8)) }
    sources.variables = variables
    sources.flags = flags.map { ConfigurationSources.Flag($0.0, $0.1) }
    return sources
}

private func faults(_ sources: ConfigurationSources) -> [String] {
    do {
        _ = try Configuration(sources)
        return []
    } catch {
        return error.list.map(\.description)
    }
}

@Suite struct ConfigurationPrecedenceTests {
    @Test func withoutSourcesEverythingHasItsDefault() throws {
        let configuration = try Configuration(sources())
        #expect(configuration.server == ServerOptions())
        #expect(configuration.store.sealAgeMicroseconds == StoreOptions().sealAgeMicroseconds)
        #expect(configuration.organizations.retention == .standard)
        #expect(configuration.log == LogOptions())
        #expect(ConfigurationKey.all.allSatisfy { configuration.origin(of: $0) == .standard })
    }

    @Test func eachSourceIsStrongerThanTheOneBefore() throws {
        let file = "[server]\nevent_loops = 2\n"
        let variables = ["DAYBOOK_SERVER_EVENT_LOOPS": "3"]
        let key = try #require(ConfigurationKey.byName["server.event_loops"])
        let steps: [(ConfigurationSources, Int, ConfigurationOrigin)] = [
            (sources(), 1, .standard),
            (sources(file: file), 2, .file(path: "/etc/daybook.toml", line: 2)),
            (sources(file: file, variables), 3, .variable("DAYBOOK_SERVER_EVENT_LOOPS")),
            (sources(file: file, variables, [("--event-loops", "4")]), 4, .flag("--event-loops")),
            (sources(file: file, variables, [("--set", "server.event_loops=5")]), 5, .flag("--set server.event_loops")),
        ]
        for (sources, count, origin) in steps {
            let configuration = try Configuration(sources)
            #expect(configuration.server.eventLoopCount == count)
            #expect(configuration.origin(of: key) == origin)
        }
    }

    @Test func aVariableOfDaybookIsStrongerThanThatOfAnotherService() throws {
        let other = try Configuration(sources(file: "log.level = \"error\"", ["LOG_LEVEL": "WARN"]))
        #expect(other.log.level == .warning)
        #expect(other.origins["log.level"] == .variable("LOG_LEVEL"))
        let own = try Configuration(sources(["LOG_LEVEL": "warn", "DAYBOOK_LOG_LEVEL": "debug"]))
        #expect(own.log.level == .debug)
    }

    @Test func anEmptyVariableSetsNothing() throws {
        let configuration = try Configuration(sources(["DAYBOOK_LISTEN": "", "PORT": ""]))
        #expect(configuration.origins == [:])
    }

    @Test func namesOfOtherServicesAreHonoured() throws {
        let configuration = try Configuration(
            sources([
                "PORT": "3000", "MAX_BATCH_SIZE": "50", "DATA_RETENTION_DAYS": "30", "RATE_LIMIT_MAX_REQUESTS": "1000",
            ]))
        #expect(configuration.store.rateLimits == RateLimitPolicy(.own, ownRequestsPerMinute: 1_000))
        #expect(configuration.server.host == "127.0.0.1")
        #expect(configuration.server.port == 3_000)
        #expect(configuration.server.batchEventCountMax == 50)
        let retention = RetentionPolicy(commands: 30, agents: 30, sessions: 365, productivity: 365)
        #expect(configuration.organizations.retention == retention)
    }

    @Test func noRequestsAMinuteIsNoLimit() throws {
        let file = "organizations.requests_per_minute = 50"
        #expect(try Configuration(sources(file: file)).store.rateLimits.requestsPerMinute == 50)
        let lifted = try Configuration(sources(file: file, ["RATE_LIMIT_MAX_REQUESTS": "0"]))
        #expect(lifted.store.rateLimits == .standard && RateLimitPolicy.standard.requestsPerMinute == nil)
        #expect(try Configuration(sources([:])).store.rateLimits == .standard)
    }

    @Test func aPortAloneKeepsTheHost() throws {
        let configuration = try Configuration(sources(file: "listen = \"[::1]:80\"", ["PORT": "3000"]))
        #expect(configuration.server.host == "::1")
        #expect(configuration.server.port == 3_000)
    }

    @Test func limitsOfAddressesAreSettings() throws {
        let standard = try Configuration(sources([:])).server.addressLimits
        #expect(standard.requestsPerMinute == nil && standard.wrongCredentialsPerMinute == 100)
        let file = "[addresses]\nrequests_per_minute = 600\nwrong_credentials_per_minute = 7"
        let limits = try Configuration(sources(file: file)).server.addressLimits
        #expect(limits.requestsPerMinute == 600 && limits.wrongCredentialsPerMinute == 7)
        let lifted = try Configuration(sources(file: file, ["DAYBOOK_ADDRESSES_REQUESTS_PER_MINUTE": "0"]))
        #expect(lifted.server.addressLimits.requestsPerMinute == nil)
        #expect(faults(sources(["DAYBOOK_ADDRESSES_WRONG_CREDENTIALS_PER_MINUTE": "0"])).count == 1)
    }

    @Test func whatOtherServicesSayOfWhatDaybookDoesAnywayIsNoWarning() throws {
        let same = ["RATE_LIMIT_WINDOW_MS": "60000", "RATE_LIMIT_STORAGE": "memory", "DEAD_LETTER_QUEUE_SIZE": "10000"]
        #expect(try Configuration(sources(same)).ignoredVariables.isEmpty)
        let other = ["RATE_LIMIT_WINDOW_MS": "1000", "RATE_LIMIT_STORAGE": "redis", "DEAD_LETTER_QUEUE_SIZE": "5"]
        #expect(Set(try Configuration(sources(other)).ignoredVariables) == Set(other.keys))
        let database = ["POSTGRES_DB": "m", "POSTGRES_USER": "m", "POSTGRES_PASSWORD": "hunter2", "ENVIRONMENT": "x"]
        #expect(Set(try Configuration(sources(database)).ignoredVariables) == Set(database.keys))
    }

    @Test func aCollectionTimeoutIsThatOfCommitsWithinWhatAnAnswerMayTake() throws {
        func milliseconds(_ text: String) throws -> Int {
            try Configuration(sources(["COLLECTION_TIMEOUT_MS": text])).server.timeLimits.commitMilliseconds
        }
        #expect(try milliseconds("2500") == 2_500)
        #expect(try milliseconds("5000") == 4_000)
        for wrong in ["50", "soon"] { #expect(faults(sources(["COLLECTION_TIMEOUT_MS": wrong])).count == 1) }
    }

    @Test func variablesOfTheTestsAreKnownToAServer() throws {
        for name in ["DAYBOOK_PAGES", "DAYBOOK_GOLDEN", "DAYBOOK_TESTABLE"] {
            #expect(faults(sources([name: "1"])).isEmpty, "\(name)")
        }
    }

    @Test func variablesWithoutAMeaningAreNamedWithoutTheirValues() throws {
        let configuration = try Configuration(sources(["DB_PASSWORD": "hunter2", "NODE_ENV": "x", "HOME": "/"]))
        #expect(Set(configuration.ignoredVariables) == ["DB_PASSWORD", "NODE_ENV"])
    }

    @Test func everySettingKeepsTheValuesAtItsBounds() {
        for key in ConfigurationKey.all {
            let values: [ConfigurationValue]
            switch key.form {
            case .integer(let range): values = [.integer(range.lowerBound), .integer(range.upperBound)]
            case .boolean: values = [.boolean(true), .boolean(false)]
            case .choice(let words): values = words.map { .text($0) }
            case .text:
                // Every free text has a form of its own.
                let texts = [
                    "data": "/x", "listen": "h:1", "tls.certificate": "/c.pem", "tls.key": "/k.pem",
                    "tls.client_ca": "/a.pem", "server.trusted_proxies": "10.0.0.0/8,::1",
                    "cors.origins": "https://a.example,http://b.example:81", "tokens.issuer": "i",
                    "tokens.audience": "a", "tokens.issuers_file": "/i.json",
                ]
                values = texts[key.name].map { [.text($0)] } ?? []
                #expect(!values.isEmpty, "\(key.name)")
            }
            for value in values {
                var configuration = Configuration()
                #expect(key.apply(value, to: &configuration) == nil, "\(key.name) \(value)")
                #expect(key.value(in: configuration) == value, "\(key.name)")
                #expect(key.apply(text: value.description, to: &configuration) == nil, "\(key.name) \(value)")
                #expect(key.value(in: configuration) == value, "\(key.name)")
            }
        }
    }

    @Test func theDefaultOfEverySettingIsWithinItsBounds() {
        for key in ConfigurationKey.all where key.name != "data" {
            var configuration = Configuration()
            #expect(key.apply(key.value(in: configuration), to: &configuration) == nil, "\(key.name)")
        }
    }

    @Test func noNameMeansTwoSettings() {
        let variables = ConfigurationKey.all.map(\.variable)
        #expect(Set(variables).count == variables.count)
        let flags = ConfigurationKey.all.compactMap(\.flag)
        #expect(Set(flags).count == flags.count)
        let aliases = Set(ConfigurationKey.all.flatMap(\.aliases))
        #expect(aliases == Set(ForeignVariable.all.filter(\.isHonoured).map(\.name)))
        #expect(Set(ForeignVariable.all.map(\.name)).count == ForeignVariable.all.count)
    }
}

@Suite struct ConfigurationFaultTests {
    @Test func allFaultsAreToldAtOnceEachWithItsPlace() {
        let file = """
            listen = "nowhere"
            [server]
            event_loops = 65
            event_lops = 1
            query_threads = "2"
            [compaction]
            merges = 1
            = 5
            """
        let found = faults(
            sources(
                file: file, ["DAYBOOK_LOG_LEVEL": "loud", "DAYBOOK_SEAL_AGE": "5", "MAX_BATCH_SIZE": "2000"],
                [("--seal-age", "0"), ("--set", "store.qouta_bytes=1"), ("--set", "nothing")]))
        #expect(
            found == [
                "/etc/daybook.toml:1: listen must be HOST:PORT, such as 127.0.0.1:8080, or PORT alone, not \"nowhere\".",
                "/etc/daybook.toml:3: server.event_loops must be an integer from 1 to 64, not 65.",
                "/etc/daybook.toml:4: server.event_lops is no setting. Did you mean server.event_loops?",
                "/etc/daybook.toml:5: server.query_threads must be an integer from 1 to 64, not \"2\".",
                "/etc/daybook.toml:7: compaction.merges must be true or false, not 1.",
                "/etc/daybook.toml:8: A line is empty, a comment (# …), a section ([name]), or a setting (name = value).",
                "environment: MAX_BATCH_SIZE must be an integer from 1 to 1000, not 2000.",
                "environment: DAYBOOK_LOG_LEVEL must be one of trace, debug, info, notice, warning, error, critical, not \"loud\".",
                "environment: DAYBOOK_SEAL_AGE is no variable of Daybook. Did you mean DAYBOOK_STORE_SEAL_AGE_SECONDS?",
                "command line: --seal-age must be an integer from 1 to 86400, not 0.",
                "command line: --set store.qouta_bytes is no setting. Did you mean store.quota_bytes?",
                "command line: --set must be NAME=VALUE, such as server.event_loops=2.",
            ])
    }

    static let single: [(ConfigurationSources, String)] = [
        (sources(file: "data = \"\""), "/etc/daybook.toml:1: data must be a path, not an empty text."),
        (sources([:], [("--listen", "host:65536")]), "HOST:PORT"), (sources([:], [("--listen", ":80")]), "HOST:PORT"),
        (sources([:], [("--listen", "a b:80")]), "HOST:PORT"), (sources([:], [("--listen", "host:")]), "HOST:PORT"),
        (sources([:], [("--listen", "host:+80")]), "HOST:PORT"), (sources([:], [("--quota-bytes", "-1")]), "from 0 to"),
        (sources([:], [("--quota-bytes", "99999999999999999999")]), "from 0 to"),
        (sources([:], [("--quota-bytes", "1e9")]), "from 0 to"), (sources([:], [("--quota-bytes", " 1")]), "from 0 to"),
        (sources([:], [("--log-format", "JSON")]), "must be one of text, json, not \"JSON\""),
        (sources(["DAYBOOK_COMPACTION_MERGES": "yes"]), "must be true or false, not \"yes\""),
        (
            sources(["DATA_RETENTION_DAYS": "forever"]),
            "environment: DATA_RETENTION_DAYS must be an integer from 0 to 36525"
        ),
        (sources(["DAYBOOK_PORT": "8080"]), "environment: DAYBOOK_PORT is no variable of Daybook."),
        (sources(["DAYBOOK_LISTEN": "x\u{1B}[31m"]), "not \"x?[31m\"."),
        (sources([:], [("--set", "LISTEN=x:1")]), "is no setting. Did you mean listen?"),
        (sources([:], [("--set", "connections=1")]), "Did you mean server.connections?"),
        (sources([:], [("--set", "=1")]), "is no setting."),
        (sources(file: "[memory]\npending_bytes = 33554432"), "must not be more than memory.pending_bytes_max."),
        (sources(file: "memory.tail_bytes = 30000000"), "memory.tail_bytes must fit"),
        (sources(file: "memory.page_bytes = 30000000"), "neither memory.tail_bytes nor memory.page_bytes"),
        (sources(file: "memory.read_bytes = 25165824"), "together are 1048576 bytes more than the server has"),
        (sources(file: "compaction.segments_min = 17"), "must not be more than compaction.segments_max."),
        (sources(file: "compaction.busy_percent = 61"), "must not be more than compaction.idle_percent."),
    ]

    @Test(arguments: single)
    func aFaultNamesItsLimit(sources: ConfigurationSources, text: String) throws {
        let found = faults(sources)
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.contains(text) == true, "\(found) has not \(text)")
    }

    @Test func settingsThatContradictEachOtherAreNamedWithTheirPlaces() {
        let found = faults(
            sources(file: "memory.read_bytes = 25165824", [:], [("--set", "memory.directory_bytes=4194304")]))
        #expect(found.count == 1)
        #expect(found[0].hasPrefix("/etc/daybook.toml:1: memory.read_bytes must fit"))
        #expect(found[0].hasSuffix("Besides: memory.directory_bytes (flag --set memory.directory_bytes)."))
    }

    @Test func aWrongValueIsAFaultAlsoWhereAStrongerSourceOverridesIt() {
        #expect(faults(sources(["DAYBOOK_LISTEN": "x"], [("--listen", "h:1")])).count == 1)
    }

    @Test func aFileThatCannotBeReadIsToldWithTheOtherFaults() {
        var all = sources(["DAYBOOK_LISTEN": "x"])
        all.fileFault = ConfigurationFault(name: "/etc/none.toml", origin: .standard, message: "does not exist.")
        #expect(faults(all).count == 2)
        #expect(faults(all)[0] == "/etc/none.toml does not exist.")
    }

    @Test(arguments: [
        ("DAYBOOK_SERVICE_HOST", "10.0.0.1"), ("DAYBOOK_SERVICE_PORT", "8080"), ("DAYBOOK_SERVICE_PORT_HTTP", "8080"),
        ("DAYBOOK_PORT", "tcp://10.0.0.1:8080"), ("DAYBOOK_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
        ("DAYBOOK_PORT_8080_TCP_PROTO", "tcp"), ("DAYBOOK_PORT_8080_TCP_PORT", "8080"),
        ("DAYBOOK_PORT_8080_TCP_ADDR", "10.0.0.1"), ("DAYBOOK_READ_SERVICE_HOST", "10.0.0.2"),
        ("DAYBOOK_READ_PORT", "tcp://10.0.0.2:80"), ("DAYBOOK_KEY", "dbk_x"), ("DAYBOOK_CONFIG", "/x"),
    ])
    func variablesOfTheSurroundingsAreNoFaults(name: String, value: String) {
        #expect(faults(sources([name: value])) == [])
    }

    @Test(arguments: ["DAYBOOK_PORT_X_TCP", "DAYBOOK_SERVICE", "DAYBOOK_SERVICE_HOSTS", "DAYBOOK_", "DAYBOOK_TCP"])
    func whatOnlyLooksLikeThemIsAFault(name: String) {
        #expect(faults(sources([name: "1"])).count == 1)
    }
}

@Suite struct NameSuggestionTests {
    @Test(arguments: [
        ("", "", 0), ("a", "", 1), ("", "ab", 2), ("kitten", "sitting", 3), ("ab", "ba", 1), ("listen", "lisetn", 1),
        ("abc", "abc", 0), ("qouta", "quota", 1),
    ])
    func theDistanceCountsChanges(left: String, right: String, distance: Int) {
        #expect(NameSuggestion.distance(Array(left.utf8), Array(right.utf8)) == distance)
        #expect(NameSuggestion.distance(Array(right.utf8), Array(left.utf8)) == distance)
    }

    @Test func whatIsFarFromEverythingSuggestsNothing() {
        #expect(NameSuggestion.nearest(to: "colour", among: ["listen", "data"]) == nil)
        #expect(NameSuggestion.nearest(to: String(repeating: "a", count: 1_000), among: ["a"]) == nil)
    }
}

@Suite struct ConfigurationPlaceTests {
    @Test func theFlagIsStrongerThanTheVariableAndThatThanTheUsersFolder() {
        let variables = ["DAYBOOK_CONFIG": "/v", "XDG_CONFIG_HOME": "/xdg", "HOME": "/home/ada"]
        #expect(ConfigurationPlace(flag: "/f", variables: variables)?.path == "/f")
        #expect(ConfigurationPlace(flag: nil, variables: variables)?.path == "/v")
        var folders = variables
        folders["DAYBOOK_CONFIG"] = ""
        let place = ConfigurationPlace(flag: nil, variables: folders)
        #expect(place?.path == "/xdg/daybook/config.toml")
        #expect(place?.isOptional == true)
        folders["XDG_CONFIG_HOME"] = "relative"
        #expect(ConfigurationPlace(flag: nil, variables: folders)?.path == "/home/ada/.config/daybook/config.toml")
        #expect(ConfigurationPlace(flag: nil, variables: [:]) == nil)
    }
}
