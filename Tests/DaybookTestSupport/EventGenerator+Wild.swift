import DaybookFormat

/// Everything that the format allows.
extension EventGenerator {
    mutating func wildEncoding(_ family: Family) -> [UInt8] {
        switch family {
        case .commandExecution: wildCommand()
        case .agentInteraction: wildAgent()
        case .sessionChange: wildSessionChange()
        case .productivityMetric: wildMetric()
        case .control: preconditionFailure("control events have no encoding")
        }
    }

    private mutating func wildCommand() -> [UInt8] {
        let flags = UInt16(random.below(32))
        var bytes = wildHead(flags: flags, status: UInt8(random.below(4)), duration: wildNumber())
        bytes.append(string: wildString())
        bytes.append(string: wildString())
        for bit in [0x1, 0x2, 0x4] as [UInt16] where flags & bit != 0 { bytes.append(string: wildString()) }
        for bit in [0x8, 0x10] as [UInt16] where flags & bit != 0 { bytes.append(string: wildObject()) }
        return bytes
    }

    private mutating func wildAgent() -> [UInt8] {
        let flags = UInt16(random.below(16))
        var bytes = wildHead(flags: flags, status: UInt8(random.below(4)), duration: wildNumber())
        bytes.append(varint: wildNumber())
        bytes.append(varint: wildNumber())
        for _ in 0..<3 { bytes.append(string: wildString()) }
        for bit in [0x1, 0x2, 0x4] as [UInt16] where flags & bit != 0 { bytes.append(string: wildString()) }
        if flags & 0x8 != 0 { bytes.append(string: wildObject()) }
        return bytes
    }

    private mutating func wildSessionChange() -> [UInt8] {
        let kind = UInt8(1 + random.below(3))
        var flags = UInt16(random.below(64)) & 0x3D << 1
        if kind != 1, random.oneIn(2) { flags |= 0x80 }
        if kind == 3, random.oneIn(2) { flags |= 0x100 }
        var bytes = wildHead(flags: flags, status: kind, duration: flags & 0x80 != 0 ? wildNumber() : 0)
        if flags & 0x10 != 0 { bytes.append(varint: wildNumber()) }
        if flags & 0x20 != 0 { appendNumber(to: &bytes) }
        bytes.append(string: wildString())
        bytes.append(string: wildString())
        if flags & 0x2 != 0 { bytes.append(string: wildString()) }
        if flags & 0x40 != 0 {
            let count = random.oneIn(20) ? 256 : random.below(5)
            bytes.append(varint: UInt64(count))
            for _ in 0..<count { bytes.append(string: wildString()) }
        }
        if flags & 0x8 != 0 { bytes.append(string: wildObject()) }
        return bytes
    }

    private mutating func wildMetric() -> [UInt8] {
        let flags = UInt16(random.below(128)) & 0x7A
        var bytes = wildHead(flags: flags, status: 0, duration: 0)
        appendNumber(to: &bytes)
        for bit in [0x10, 0x20] as [UInt16] where flags & bit != 0 { bytes.append(littleEndian: wildTime()) }
        bytes.append(string: wildString())
        bytes.append(string: wildString())
        for bit in [0x40, 0x2] as [UInt16] where flags & bit != 0 { bytes.append(string: wildString()) }
        if flags & 0x8 != 0 { bytes.append(string: wildObject()) }
        return bytes
    }

    private mutating func wildHead(flags: UInt16, status: UInt8, duration: UInt64) -> [UInt8] {
        Self.head(
            flags: flags, status: status, id: (wildNumber(), wildNumber()), time: wildTime(), duration: duration)
    }

    /// Any of all magnitudes, the extremes often.
    mutating func wildNumber() -> UInt64 {
        switch random.below(8) {
        case 0: 0
        case 1: UInt64.max
        case 2: UInt64(Int64.max) + UInt64(random.below(2))
        default: random.next() >> UInt64(random.below(64))
        }
    }

    /// From the year 0001 to 9999, mostly close to now.
    private mutating func wildTime() -> Int64 {
        switch random.below(20) {
        case 0: -62_135_596_800_000_000
        case 1: 253_402_300_799_999_999
        case 2: -Int64(random.below(1 << 50))
        default: now - Int64(random.below(10_000_000))
        }
    }

    /// Tag and word of a number in its one form.
    private mutating func appendNumber(to bytes: inout [UInt8]) {
        switch random.below(3) {
        case 0:
            bytes.append(0)
            bytes.append(littleEndian: wildNumber())
        case 1:
            bytes.append(1)
            bytes.append(littleEndian: wildNumber() | 1 << 63)
        default:
            bytes.append(2)
            let fraction = (Double(random.below(1 << 30)) + 0.5) / Double(1 + random.below(7) * 2)
            let number = fraction == fraction.rounded() ? 0.5 : fraction
            bytes.append(littleEndian: (random.oneIn(2) ? number : -number).bitPattern)
        }
    }

    private mutating func wildString() -> [UInt8] {
        switch random.below(20) {
        case 0: []
        case 1: random.bytes(random.below(255))
        case 2: Array("übel: \(random.below(1_000))".utf8)
        default: Array("name-\(random.below(300))".utf8)
        }
    }

    private mutating func wildObject() -> [UInt8] {
        switch random.below(400) {
        case 0: random.bytes(60_000)
        case 1...20: random.bytes(random.below(3_000))
        case 21...60: Array("{}".utf8)
        case 61...70: []
        default: Array("{\"key\":\(random.below(50)),\"path\":\"/a/b/c\"}".utf8)
        }
    }
}

extension [UInt8] {
    /// A varint length, then the bytes.
    mutating func append(string: [UInt8]) {
        append(varint: UInt64(string.count))
        append(contentsOf: string)
    }
}
