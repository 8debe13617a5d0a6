package import DaybookFormat

extension RollupFile {
    /// The same file without the rows of some users; what is counted without regard to users stays. Empty when nothing is
    /// left, nil when nobody is in it who is to go.
    /// - Parameters:
    ///   - isGone: told the bytes of each user.
    ///   - staysNamed: told the bytes of each name when somebody goes: a name that nobody else is known to have used may
    ///     be theirs alone, and its rows go, too.
    /// - Throws: when a part that is needed is damaged; then only a file of its sound parts can be made.
    package func forgetting(
        _ isGone: (ArraySlice<UInt8>) -> Bool, staysNamed: (ArraySlice<UInt8>) -> Bool
    ) throws(FormatError) -> [UInt8]? {
        let goneUsers = (0..<UInt32(users.count)).map { isGone(users.bytes(of: $0)) }
        guard goneUsers.contains(true) else { return nil }
        let goneNames = (0..<UInt32(names.count)).map { !staysNamed(names.bytes(of: $0)) }
        var scratch = BinScratch()
        var encoder = RollupEncoder(identity, eventCount: eventCount)
        for grain in RollupGrain.allCases {
            var strings = RollupStrings()
            guard let window = finestWindow(grain), let section = section(grain, window) else {
                encoder.append(grain, nil, strings: strings, &scratch)
                continue
            }
            var rows = try rows(of: section)
            if grain.hasKeys {
                let gone = grain == .user ? goneUsers : goneNames
                rows = rows.filtered { $0 == 0 || !gone[Int($0) - 1] }
                let dictionary = dictionary(of: grain)
                var keys: [UInt32] = [0]
                for code in 0..<UInt32(dictionary.count) {
                    keys.append(gone[Int(code)] ? 0 : strings.key(of: Array(dictionary.bytes(of: code))))
                }
                rows.replaceKeys(by: keys)
            }
            let sorted = RollupRows.merged([rows], &scratch)
            encoder.append(grain, sorted.isEmpty ? nil : sorted, strings: strings, &scratch)
        }
        return encoder.finish() ?? []
    }
}
