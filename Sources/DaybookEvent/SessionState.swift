package import DaybookFormat

package struct SessionState: Sendable {
    package init() {}
    package init(reading: RawSpan) throws(FormatError) {}
    package mutating func apply(fields: EventFields, bytes: RawSpan, arrival: Timestamp) {}
    package func isEnded(at now: Timestamp) -> Bool { false }
    package var hasEnded: Bool { false }
    package func encoded() -> [UInt8] { [] }
}
