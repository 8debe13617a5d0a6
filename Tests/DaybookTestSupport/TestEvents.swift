import DaybookEvent
import DaybookFormat

/// Small events for tests that care about bytes and sequences, not about fields.
package enum TestEvents {
    /// The canonical encoding of a command execution that differs by `number`.
    package static func command(_ number: UInt64, user: String = "owner", at time: Timestamp) -> [UInt8] {
        var encoder = EventEncoder(family: .commandExecution)
        encoder.id = EventID(version7At: time, random: number, number &* 0x9E37_79B9_7F4A_7C15)
        encoder.timestamp = time
        encoder.durationNanoseconds = number * 1_000
        encoder.status = UInt8(number % 4)
        var bytes: [UInt8] = []
        encoder.appendFixedPart(to: &bytes)
        bytes.append(lengthPrefixed: user)
        bytes.append(lengthPrefixed: "command-\(number % 7)")
        return bytes
    }

    /// One change of a session, without optional fields.
    package static func sessionChange(
        _ kind: SessionChangeKind, _ sessionID: String, number: UInt64, at time: Timestamp
    ) -> [UInt8] {
        var encoder = EventEncoder(family: .sessionChange)
        encoder.id = EventID(version7At: time, random: number, number)
        encoder.timestamp = time
        encoder.status = kind.rawValue
        var bytes: [UInt8] = []
        encoder.appendFixedPart(to: &bytes)
        bytes.append(lengthPrefixed: "owner")
        bytes.append(lengthPrefixed: sessionID)
        return bytes
    }
}
