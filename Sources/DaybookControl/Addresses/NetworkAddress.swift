/// One IPv4 or IPv6 address.
package struct NetworkAddress: Hashable, Sendable {
    /// The first 64 bits of an IPv6 address; 0 of an IPv4 address.
    let high: UInt64
    /// The other 64 bits, or the 32 of an IPv4 address.
    let low: UInt64
    let isFour: Bool

    private init(four groups: [UInt64]) {
        high = 0
        low = groups.reduce(0) { $0 << 8 | $1 }
        isFour = true
    }

    private init(six groups: [UInt64]) {
        high = groups[..<4].reduce(0) { $0 << 16 | $1 }
        low = groups[4...].reduce(0) { $0 << 16 | $1 }
        isFour = false
    }

    /// The text of an address: RFC 4291, section 2.2, with no zone, or four decimal numbers. An IPv4 address inside an
    /// IPv6 one (`::ffff:`) is the IPv4 address. Nil for any other text.
    package init?(_ text: some StringProtocol) {
        let text = Substring(text)
        guard text.utf8.contains(UInt8(ascii: ":")) else {
            guard let numbers = Self.decimals(text) else { return nil }
            self.init(four: numbers)
            return
        }
        guard let groups = Self.groups(text) else { return nil }
        if groups[..<5].allSatisfy({ $0 == 0 }), groups[5] == 0xFFFF {
            self.init(four: [groups[6] >> 8, groups[6] & 0xFF, groups[7] >> 8, groups[7] & 0xFF])
        } else {
            self.init(six: groups)
        }
    }

    private static func decimals(_ text: Substring) -> [UInt64]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { part -> UInt64? in
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
                return nil
            }
            return UInt8(part).map(UInt64.init)
        }
        return numbers.count == 4 && parts.count == 4 ? numbers : nil
    }

    /// The eight groups of an IPv6 address.
    private static func groups(_ text: Substring) -> [UInt64]? {
        var halves: [[UInt64]] = []
        var rest = text
        while let gap = rest.firstRange(ofDoubleColon: ()) {
            guard halves.isEmpty, let before = part(rest[..<gap.lowerBound], isLast: false) else { return nil }
            halves.append(before)
            rest = rest[gap.upperBound...]
        }
        guard let last = part(rest, isLast: true) else { return nil }
        halves.append(last)
        let count = halves.reduce(0) { $0 + $1.count }
        if halves.count == 1 { return count == 8 ? last : nil }
        guard count < 8 else { return nil }
        return halves[0] + [UInt64](repeating: 0, count: 8 - count) + halves[1]
    }

    /// Groups between colons; the very last may be an IPv4 address. An empty text has none.
    private static func part(_ text: Substring, isLast: Bool) -> [UInt64]? {
        guard !text.isEmpty else { return [] }
        var groups: [UInt64] = []
        let fields = text.split(separator: ":", omittingEmptySubsequences: false)
        for (position, field) in fields.enumerated() {
            if isLast, position == fields.count - 1, let numbers = decimals(field) {
                groups += [numbers[0] << 8 | numbers[1], numbers[2] << 8 | numbers[3]]
                continue
            }
            guard (1...4).contains(field.utf8.count), field.utf8.allSatisfy(isHexDigit),
                let group = UInt64(field, radix: 16)
            else { return nil }
            groups.append(group)
        }
        return groups
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}

extension Substring {
    fileprivate func firstRange(ofDoubleColon: Void) -> Range<Index>? {
        var index = startIndex
        while let colon = self[index...].firstIndex(of: ":") {
            let next = self.index(after: colon)
            guard next < endIndex else { return nil }
            if self[next] == ":" { return colon..<self.index(after: next) }
            index = next
        }
        return nil
    }
}
