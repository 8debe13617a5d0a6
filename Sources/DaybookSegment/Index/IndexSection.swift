internal import DaybookFormat

/// One section of an index that was just made.
struct IndexSection {
    enum Kind: UInt8 {
        case sets = 1
        case filters = 2
    }

    static let descriptionByteCount = 20

    var subject: IndexSubject
    var kind: Kind
    /// Bytes of the number of a set.
    var setNumberByteCount = 0
    /// Distinct values; of filters added up over the pages.
    var valueCount: Int
    /// Sets, or blocks.
    var unitCount: Int
    /// The number of the set of the pages that could not be read; nil when all could.
    var unreadSet: Int?
    var content: [UInt8]

    func appendDescription(to bytes: inout [UInt8]) {
        bytes.append(littleEndian: subject.rawValue)
        bytes.append(kind.rawValue)
        bytes.append(UInt8(setNumberByteCount))
        bytes.append(littleEndian: UInt32(clamping: valueCount))
        bytes.append(littleEndian: UInt32(unitCount))
        bytes.append(littleEndian: UInt32(content.count))
        bytes.append(littleEndian: unreadSet.map { UInt32($0 + 1) } ?? 0)
    }
}
