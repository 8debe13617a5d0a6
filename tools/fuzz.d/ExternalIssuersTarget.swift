@testable import DaybookControl

/// The input is the file with the external issuers, or a key set that it names. Whatever is wrong is told; what is
/// taken has names of its own, and never that of this store.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzExternalIssuers(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 0 else { return 0 }
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    var reader = ExternalIssuerReader(ownIssuer: "daybook", countMax: 64)
    let entries = reader.entries(of: input)
    precondition(Set(entries.map(\.issuer.name)).count == entries.count, "two issuers of one name")
    precondition(Set(entries.map(\.issuer.issuer)).count == entries.count, "an issuer twice")
    for entry in entries {
        precondition(entry.issuer.issuer != "daybook" && !entry.issuer.issuer.isEmpty, "somebody else is this store")
        precondition(!entry.issuer.audience.isEmpty && !entry.keysFile.isEmpty && !entry.issuer.types.isEmpty)
    }
    var keyReader = ExternalIssuerReader(ownIssuer: "daybook", countMax: 64)
    let keys = keyReader.keys(of: input, in: "keys.json")
    precondition(!keys.isEmpty || !keyReader.faults.isEmpty, "no key, and nothing is wrong")
    precondition(keys.count <= 64)
    return 0
}
