/// The floors of docs/architecture.md. Imports point strictly down: a module may import modules of lower floors only,
/// never a sibling. The package manager does not enforce it, so a test does.
///
/// Think twice before changing this table: a new module needs a decision record.
enum Floors {
    static let modules: [(floor: Int, names: [String])] = [
        (7, ["daybook"]),
        (6, ["DaybookServer", "DaybookTools"]),
        (5, ["DaybookLive", "DaybookControl", "DaybookExport"]),
        (4, ["DaybookQuery"]),
        (3, ["DaybookStore"]),
        (2, ["DaybookLog", "DaybookSegment", "DaybookRollup", "DaybookProof"]),
        (1, ["DaybookEvent"]),
        (0, ["DaybookFormat", "DaybookSystem", "DaybookCrypto", "DaybookCompression"]),
    ]

    /// C targets and the modules that may import them.
    static let shims: [String: Set<String>] = [
        "CChecksum": ["DaybookFormat"],
        "CKernel": ["DaybookSystem"],
        "CCrypto": ["DaybookCrypto"],
        "CLZ4": ["DaybookSegment", "DaybookCompression"],
        "CZlib": ["DaybookCompression"],
    ]

    /// Libraries and the modules that may import them, although they stand on a floor without libraries: each needs a
    /// decision record. docs/decisions/0015-tokens.md.
    static let libraries: [String: Set<String>] = ["JWTKit": ["DaybookControl"]]

    /// What every module may import: it does no I/O.
    static let everywhere: Set<String> = ["Swift", "Synchronization"]

    /// The highest floor on which the standard library and the floors below must do.
    static let highestWithoutLibraries = 5
    /// The highest floor on which `unsafe` may stand.
    static let highestWithUnsafeCode = 2

    static func floor(of module: String) -> Int? {
        modules.first { $0.names.contains(module) }?.floor
    }

    /// Why `module` must not import `imported`; nil when it may.
    static func objection(to imported: String, in module: String) -> String? {
        guard let floor = floor(of: module) else { return "\(module) stands on no floor" }
        if everywhere.contains(imported) { return nil }
        if imported == "Glibc" {
            return module == "DaybookSystem" ? nil : "only DaybookSystem imports Glibc"
        }
        if imported == "Foundation" { return "full Foundation brings 36 MB of tables; FoundationEssentials may do" }
        if let owners = shims[imported] {
            return owners.contains(module) ? nil : "\(imported) belongs to \(owners.sorted().joined(separator: ", "))"
        }
        if let owners = libraries[imported] {
            return owners.contains(module) ? nil : "\(imported) belongs to \(owners.sorted().joined(separator: ", "))"
        }
        if let other = Self.floor(of: imported) {
            return other < floor ? nil : "floor \(floor) must not import floor \(other)"
        }
        return floor > highestWithoutLibraries ? nil : "libraries stay above floor \(highestWithoutLibraries)"
    }
}
