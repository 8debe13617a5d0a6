/// Every file of a data directory. Names are made and parsed here and nowhere else; numbers in them are 16 lower-case
/// hexadecimal digits, so that names sort as their numbers do. Spec: docs/format/manifest.md, "File names".
package enum FileKind: Hashable, Sendable {
    /// Part of the write-ahead log, named after its first sequence.
    case logFile(first: UInt64)
    /// The sealed rows of one family. A range that is written anew gets the next revision: a name is that of one file.
    case segment(first: UInt64, last: UInt64, family: Family, revision: UInt16 = 0)
    /// Beside its segment, rebuilt from it when missing.
    case index(first: UInt64, last: UInt64, family: Family, revision: UInt16 = 0)
    /// Beside its segment: sums over windows of time.
    case rollup(first: UInt64, last: UInt64, family: Family, revision: UInt16 = 0)
    /// Sums over hours and days of events that have expired.
    case history(first: UInt64, last: UInt64, family: Family, revision: UInt16 = 0)
    /// What sealing up to this sequence carries over.
    case carry(sealedThrough: UInt64)
    case manifest
    /// One file of the commit journal; a recycled file keeps its name.
    case journal(ordinal: UInt64)
    case checkpoint(ordinal: UInt64)
    /// How far an erasure has come.
    case erasure(id: UInt64)
    /// What an erasure did, for people.
    case certificate(id: UInt64)
    /// What makes a directory a store.
    case identity
    /// Damaged bytes set aside from the file of that name.
    case quarantine(of: String)
    /// What is known about the damage of the file of that name.
    case quarantineReport(of: String)
    /// Not real yet: may be removed at any start. The suffix is that of `Disk.replaceAtomically`.
    case temporary(of: String)

    /// The name inside its folder. Precondition: sequences are at least 1 and in order, nested names are names.
    package var name: String {
        switch self {
        case .logFile(let first):
            precondition(first >= 1)
            return hexText(first) + ".dbl"
        case .segment(let first, let last, let family, let revision):
            return Self.stem(first, last, family, revision) + ".dbs"
        case .index(let first, let last, let family, let revision):
            return Self.stem(first, last, family, revision) + ".dbi"
        case .rollup(let first, let last, let family, let revision):
            return Self.stem(first, last, family, revision) + ".dbr"
        case .history(let first, let last, let family, let revision):
            return Self.stem(first, last, family, revision) + ".dba"
        case .carry(let sealedThrough):
            precondition(sealedThrough >= 1)
            return hexText(sealedThrough) + ".dbk"
        case .manifest: return "manifest.dbm"
        case .journal(let ordinal): return hexText(ordinal) + ".dbj"
        case .checkpoint(let ordinal): return hexText(ordinal) + ".dbc"
        case .erasure(let id): return hexText(id) + ".dbe"
        case .certificate(let id): return Self.certificatePrefix + hexText(id) + ".json"
        case .identity: return "identity.dbh"
        case .quarantine(let name): return Self.nested(name) + ".quarantine"
        case .quarantineReport(let name): return Self.nested(name) + ".report"
        case .temporary(let name): return Self.nested(name) + ".tmp"
        }
    }

    /// Nil for a name that this store never gives to a file.
    package init?(name: String) {
        guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")) else { return nil }
        let stem = name[..<dot]
        guard !stem.isEmpty, !name.utf8.contains(UInt8(ascii: "/")) else { return nil }
        switch name[dot...] {
        case ".dbl":
            guard let first = hexNumber(stem), first >= 1 else { return nil }
            self = .logFile(first: first)
        case ".dbs":
            guard let (first, last, family, revision) = Self.parse(stem: stem) else { return nil }
            self = .segment(first: first, last: last, family: family, revision: revision)
        case ".dbi":
            guard let (first, last, family, revision) = Self.parse(stem: stem) else { return nil }
            self = .index(first: first, last: last, family: family, revision: revision)
        case ".dbr":
            guard let (first, last, family, revision) = Self.parse(stem: stem) else { return nil }
            self = .rollup(first: first, last: last, family: family, revision: revision)
        case ".dba":
            guard let (first, last, family, revision) = Self.parse(stem: stem) else { return nil }
            self = .history(first: first, last: last, family: family, revision: revision)
        case ".dbk":
            guard let sealedThrough = hexNumber(stem), sealedThrough >= 1 else { return nil }
            self = .carry(sealedThrough: sealedThrough)
        case ".dbm" where stem == "manifest": self = .manifest
        case ".dbj":
            guard let ordinal = hexNumber(stem) else { return nil }
            self = .journal(ordinal: ordinal)
        case ".dbc":
            guard let ordinal = hexNumber(stem) else { return nil }
            self = .checkpoint(ordinal: ordinal)
        case ".dbe":
            guard let id = hexNumber(stem) else { return nil }
            self = .erasure(id: id)
        case ".json" where stem.hasPrefix(Self.certificatePrefix):
            guard let id = hexNumber(stem.dropFirst(Self.certificatePrefix.count)) else { return nil }
            self = .certificate(id: id)
        case ".dbh" where stem == "identity": self = .identity
        case ".quarantine": self = .quarantine(of: String(stem))
        case ".report": self = .quarantineReport(of: String(stem))
        case ".tmp": self = .temporary(of: String(stem))
        default: return nil
        }
    }

    private static let certificatePrefix = "erasure-"

    private static func stem(_ first: UInt64, _ last: UInt64, _ family: Family, _ revision: UInt16) -> String {
        precondition(first >= 1)
        precondition(first <= last)
        let stem = "\(hexText(first))-\(hexText(last))-\(hexText(UInt64(family.rawValue), width: 2))"
        return revision == 0 ? stem : stem + "-" + hexText(UInt64(revision), width: 4)
    }

    private static func parse(
        stem: Substring
    ) -> (first: UInt64, last: UInt64, family: Family, revision: UInt16)? {
        let parts = stem.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3 || parts.count == 4,
            let first = hexNumber(parts[0]),
            let last = hexNumber(parts[1]),
            let number = hexNumber(parts[2], width: 2),
            let family = Family(rawValue: UInt8(number)),
            first >= 1, first <= last
        else { return nil }
        guard parts.count == 4 else { return (first, last, family, 0) }
        guard let revision = hexNumber(parts[3], width: 4), revision >= 1 else { return nil }
        return (first, last, family, UInt16(revision))
    }

    private static func nested(_ name: String) -> String {
        precondition(!name.isEmpty)
        precondition(!name.utf8.contains(UInt8(ascii: "/")))
        return name
    }
}

/// Where things stand inside a data directory. All paths are relative to it.
package enum Layout {
    /// Files of the commit journal.
    package static let journal = "journal"
    /// What is known to be durable in the logs.
    package static let checkpoint = "checkpoint"
    /// The control log.
    package static let control = "control"
    /// One folder for each organization.
    package static let organizations = "organizations"
    /// What recovery found, one report for each start that found something.
    package static let recovery = "recovery"
    /// How much was requested when the server ended. Spec: docs/format/limits.md.
    package static let limits = "limits.dbw"
    /// The keys that sign access tokens. Spec: docs/format/tokens.md.
    package static let signingKeys = "tokens.dbt"
    package static let identity = FileKind.identity.name

    /// Log ids below are the store's own.
    package static let firstOrganizationLog = LogID(16)

    /// The folder of one log.
    package static func folder(of log: LogID) -> String {
        log == .control ? control : path(organizations, hexText(log.rawValue))
    }

    /// The log whose folder inside `organizations` has this name; nil for any other name.
    package static func log(ofOrganizationFolder name: String) -> LogID? {
        guard let number = hexNumber(name), LogID(number) >= firstOrganizationLog else { return nil }
        return LogID(number)
    }

    package static func path(_ folder: String, _ name: String) -> String { folder + "/" + name }

    package static func path(_ folder: String, _ file: FileKind) -> String { path(folder, file.name) }
}
