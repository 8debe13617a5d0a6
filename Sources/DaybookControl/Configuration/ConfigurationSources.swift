internal import DaybookStore

/// Where a configuration is read from. Reading files and variables is the caller's work.
package struct ConfigurationSources: Sendable {
    package struct File: Sendable {
        package var path: String
        package var bytes: [UInt8]

        package init(path: String, bytes: [UInt8]) {
            self.path = path
            self.bytes = bytes
        }
    }

    /// One flag as it stands on the command line.
    package struct Flag: Sendable {
        /// With its dashes; `--set` for a setting that has no flag of its own.
        package var name: String
        package var text: String

        package init(_ name: String, _ text: String) {
            self.name = name
            self.text = text
        }
    }

    package var file: File?
    /// Why the file that was named could not be read.
    package var fileFault: ConfigurationFault?
    /// All variables of the process.
    package var variables: [String: String] = [:]
    package var flags: [Flag] = []

    package init() {}
}

extension Configuration {
    /// The value of all sources together.
    /// - Throws: everything that is wrong, at once. A wrong value is a fault, also where a stronger source overrides it.
    package init(_ sources: ConfigurationSources) throws(ConfigurationFaults) {
        var merge = ConfigurationMerge()
        if let fault = sources.fileFault { merge.faults.append(fault) }
        if let file = sources.file { merge.add(file) }
        merge.add(variables: sources.variables)
        for flag in sources.flags { merge.add(flag) }
        merge.checkTogether()
        guard merge.faults.isEmpty else { throw ConfigurationFaults(list: merge.faults) }
        self = merge.configuration
    }
}

/// A configuration while its sources are laid over each other, the weakest first.
private struct ConfigurationMerge {
    var configuration = Configuration()
    var faults: [ConfigurationFault] = []

    mutating func add(_ file: ConfigurationSources.File) {
        let document = ConfigurationDocument(parsing: file.bytes)
        for problem in document.problems {
            faults.append(
                ConfigurationFault(
                    name: "", origin: .file(path: file.path, line: problem.line), message: problem.message))
        }
        for entry in document.entries {
            let origin = ConfigurationOrigin.file(path: file.path, line: entry.line)
            guard let key = ConfigurationKey.byName[entry.name] else {
                let known = ConfigurationKey.all.map(\.name)
                faults.append(
                    ConfigurationFault(
                        name: ConfigurationKey.shownName(entry.name), origin: origin, message: "is no setting.",
                        suggestion: NameSuggestion.nearest(to: entry.name, among: known)))
                continue
            }
            take(key, as: entry.name, origin) { key.apply(entry.value, to: &$0) }
        }
        // Faults of both kinds in the order of the lines.
        faults.sort { Self.line($0) < Self.line($1) }
    }

    private static func line(_ fault: ConfigurationFault) -> Int {
        if case .file(_, let line) = fault.origin { line } else { 0 }
    }

    mutating func add(variables: [String: String]) {
        // Names of other services first: those of Daybook are stronger.
        for key in ConfigurationKey.all {
            for alias in key.aliases {
                guard let text = variables[alias], !text.isEmpty else { continue }
                let own = ForeignVariable.translated(text, of: alias)
                take(key, as: alias, .variable(alias)) { key.apply(text: own, to: &$0) }
            }
        }
        for key in ConfigurationKey.all {
            // Set to nothing is how a unit file or a container takes a variable away.
            guard let text = variables[key.variable], !text.isEmpty else { continue }
            take(key, as: key.variable, .variable(key.variable)) { key.apply(text: text, to: &$0) }
        }
        let prefix = "DAYBOOK_"
        let known = (ConfigurationKey.all.map(\.variable) + KnownVariable.ofOtherVerbs).map {
            $0.dropFirst(prefix.count)
        }
        for name in variables.keys.sorted() where name.hasPrefix(prefix) {
            let rest = name.dropFirst(prefix.count)
            guard !known.contains(rest) else { continue }
            guard !KnownVariable.isOfKubernetes(name, value: variables[name] ?? "") else { continue }
            faults.append(
                ConfigurationFault(
                    name: ConfigurationKey.shownName(name), origin: .variable(ConfigurationKey.shownName(name)),
                    message: "is no variable of Daybook.",
                    suggestion: NameSuggestion.nearest(to: String(rest), among: known.map(String.init)).map {
                        prefix + $0
                    }
                ))
        }
        configuration.ignoredVariables = ForeignVariable.all.filter { variables[$0.name].map($0.isIgnored) ?? false }
            .map(\.name)
    }

    mutating func add(_ flag: ConfigurationSources.Flag) {
        let origin = ConfigurationOrigin.flag(flag.name)
        guard flag.name == "--set" else {
            guard let key = ConfigurationKey.all.first(where: { $0.flag == flag.name }) else {
                preconditionFailure("\(flag.name) is the flag of no setting")
            }
            take(key, as: flag.name, origin) { key.apply(text: flag.text, to: &$0) }
            return
        }
        let parts = flag.text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts.first ?? "")
        guard parts.count == 2 else {
            faults.append(
                ConfigurationFault(
                    name: "--set", origin: origin, message: "must be NAME=VALUE, such as server.event_loops=2."))
            return
        }
        let shown = "--set \(ConfigurationKey.shownName(name))"
        guard let key = ConfigurationKey.byName[name] else {
            faults.append(
                ConfigurationFault(
                    name: shown, origin: .flag(shown), message: "is no setting.",
                    suggestion: NameSuggestion.nearest(to: name, among: ConfigurationKey.all.map(\.name))))
            return
        }
        take(key, as: shown, .flag(shown)) { key.apply(text: String(parts[1]), to: &$0) }
    }

    private mutating func take(
        _ key: ConfigurationKey, as name: String, _ origin: ConfigurationOrigin,
        _ apply: (inout Configuration) -> String?
    ) {
        if let message = apply(&configuration) {
            let fault = ConfigurationFault(name: name, origin: origin, message: message)
            // One variable may stand for several settings.
            if !faults.contains(fault) { faults.append(fault) }
        } else {
            configuration.origins[key.name] = origin
        }
    }

    /// What cannot hold together is the fault of whatever was set last, so all settings that take part are named.
    mutating func checkTogether() {
        let store = configuration.store.contradictions().map(Self.explanation)
        for (names, message) in store + configuration.server.tls.contradictions() {
            let set = names.filter { configuration.origins[$0] != nil }
            let first = set.first ?? names[0]
            let others = set.dropFirst().map { "\($0) (\(configuration.origins[$0] ?? .standard))" }
            let besides = others.isEmpty ? "" : " Besides: \(others.joined(separator: ", "))."
            faults.append(
                ConfigurationFault(
                    name: first, origin: configuration.origins[first] ?? .standard, message: message + besides))
        }
    }

    private static func explanation(_ contradiction: StoreOptions.Contradiction) -> ([String], String) {
        switch contradiction {
        case .pendingLimitTooSmall:
            (["memory.pending_bytes", "memory.pending_bytes_max"], "must not be more than memory.pending_bytes_max.")
        case .readCacheTooSmall:
            (
                ["memory.read_bytes", "memory.tail_bytes", "memory.page_bytes"],
                "must fit: neither memory.tail_bytes nor memory.page_bytes may be more than memory.read_bytes."
            )
        case .tooMuchMemory(let excess):
            (
                ["memory.read_bytes", "memory.directory_bytes", "memory.pending_bytes_max"],
                "must fit: memory.read_bytes, memory.directory_bytes and memory.pending_bytes_max together are \(excess) bytes more than the server has for them."
            )
        case .checkpointTooLate(let byteCountMax):
            (["store.checkpoint_bytes"], "must be at most \(byteCountMax), all journal files but one.")
        case .fanInReversed:
            (["compaction.segments_min", "compaction.segments_max"], "must not be more than compaction.segments_max.")
        case .busierThanIdle:
            (["compaction.busy_percent", "compaction.idle_percent"], "must not be more than compaction.idle_percent.")
        }
    }
}
