import ArgumentParser
import DaybookControl
import DaybookFormat
import DaybookSystem
import DaybookTools

/// `--data`, for every verb that works on a data directory.
struct DataOptions: ParsableArguments {
    @Option(
        name: .long, help: "The data directory. [default: $DAYBOOK_DATA, or that of the configuration file]",
        completion: .directory)
    var data: String?

    static let missing = "No data directory: name one with --data DIR, DAYBOOK_DATA or the setting data."

    func directory() throws -> String {
        let named = data ?? ProcessEnvironment.variable("DAYBOOK_DATA") ?? ""
        // A wrong configuration stops no verb that is told its directory.
        let directory = named.isEmpty ? try ConfigurationOptions.ambient().data : named
        guard !directory.isEmpty else { throw ValidationError(Self.missing) }
        return directory
    }

    func door() throws -> StoreDoor { StoreDoor(directory: try directory()) }
}

/// `--organization`, for every verb that reads one organization's log.
struct OrganizationOptions: ParsableArguments {
    @Option(name: .long, help: "The organization's id. May be left out when the store has only one.")
    var organization: String?

    /// The id that was named, or that of the only organization.
    func resolved(among known: [OrganizationID]) throws -> String {
        if let organization { return organization }
        guard known.count == 1, let only = known.first else {
            let list = known.isEmpty ? "none" : known.map(\.text).joined(separator: ", ")
            throw ValidationError("Name one organization with --organization ID. The store has: \(list).")
        }
        return only.text
    }
}

/// `--json`, for every verb that prints a result.
struct OutputOptions: ParsableArguments {
    @Flag(name: .long, help: "Print one JSON object on one line.")
    var json = false

    /// Prints a finished JSON object as it is, or as a table.
    func printObject(_ object: [UInt8]) throws {
        let text = json ? String(decoding: object, as: UTF8.self) + "\n" : try ObjectTable.text(object)
        try StandardStreams.write(text)
    }
}
