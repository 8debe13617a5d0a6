internal import DaybookQuery

/// What stands behind the question mark of a target, taken apart.
struct QueryString {
    private(set) var pairs: [(name: String, value: String)] = []
    private(set) var faults: [QueryFault] = []

    init(_ text: String) {
        for pair in text.utf8.split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decode(parts[0]), let value = parts.count > 1 ? Self.decode(parts[1]) : "" else {
                faults.append(QueryFault(String(decoding: parts[0], as: UTF8.self), "is not percent-encoded UTF-8"))
                continue
            }
            pairs.append((name, value))
        }
    }

    private static func decode(_ text: some Collection<UInt8>) -> String? {
        guard let bytes = PercentEncoding.decode(text, plusIsSpace: true) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }
}
