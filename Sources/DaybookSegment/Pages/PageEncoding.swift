/// How the values of a page are written. The raw value is on disk: never renumber. Spec: docs/format/segment.md,
/// "Page encodings".
package enum PageEncoding: UInt8, CaseIterable, Sendable {
    // Integers
    case constant = 0
    case plain = 1
    case runLength = 2
    case frameOfReference = 3
    case delta = 4
    case dictionary = 5
    // Attributes only
    case optional = 6
    case decimal = 7
    // Integers again
    case patched = 8
    case patchedDelta = 9
    case deltaOfDelta = 10
    // Byte strings
    case plainBytes = 16
    case dictionaryBytes = 17
    // What the file says of itself
    case footer = 254
    case directory = 255
}

/// The bounds of a segment. They are part of the format: a file beyond them is damaged.
package enum SegmentLimits {
    package static let rowGroupRowCountMax = 65_536
    package static let pageRowCountMax = 8_192
    /// A page of byte strings ends with the row that reaches this.
    package static let widePageByteCountTarget = 16 << 10
    /// No event is longer; far above what `Limits` lets in, and low enough that any event fits a page.
    package static let encodingByteCountMax = 2 << 20
    /// No page is longer, before or after compression.
    package static let pageByteCountMax = 4 << 20
    /// The byte strings of one column of a row group take no more.
    package static let columnByteCountMax = 64 << 20
    /// A row group ends early when its rows hold this much in memory, so that sealing keeps within its budget.
    package static let rowGroupByteCountTarget = 6 << 20
    package static let rowGroupCountMax = 65_536
    /// Attributes of a segment that have columns.
    package static let attributeCountMax = 256
    /// All keys of an attribute's path together.
    package static let attributePathByteCountMax = 512
    package static let attributeDepthMax = 8
}
