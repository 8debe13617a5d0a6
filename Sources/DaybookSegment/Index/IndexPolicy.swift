/// What an index may cost, and when a part of it pays. Readers do not depend on any of this.
enum IndexPolicy {
    static let filterBitsPerValue = 10
    /// With fewer bits a filter says yes too often to be worth its bytes; the page goes without.
    static let filterBitsPerValueMin = 6

    /// Sets are exact and found with one search, so they may take this many times the bytes of filters.
    static let exactFactor = 2
    /// Sets that take no more bits a row than this are kept whatever filters would take.
    static let smallBitsPerRow = 2
    /// No section is left out because of its size when it is below this.
    static let smallByteCount = 256

    /// Sets are given up for filters when they take more memory at the end of a page; twice as much is the end within
    /// one.
    static let setsByteCountMax = 6 << 20
    /// Sections that would carry the file past this are left out.
    static let byteCountMax = 6 << 20

    /// A token on at least 7 of 8 pages is taken to be on all: such sets are all the same and are kept once.
    static let nearlyAllPageCountMin = 8
    static func isNearlyAll(_ count: Int, of pageCount: Int) -> Bool {
        pageCount >= nearlyAllPageCountMin && count * 8 >= pageCount * 7
    }

    /// Identifiers need no filters when the zones of their first 48 bits do as well: when a page spans at most about
    /// two years of version 7 identifiers, and an identifier lies in the zones of at most this many pages on average.
    static let identifierSpanMax: UInt64 = 1 << 36
    static let identifierOverlapMax = 4

    /// The most that a section may take, in bits a row.
    static func bitsPerRowMax(_ subject: IndexSubject) -> Int { subject == .text ? 16 : 12 }

    static func byteCountMax(_ subject: IndexSubject, rowCount: Int) -> Int {
        max(smallByteCount, rowCount * bitsPerRowMax(subject) / 8)
    }

    /// The most distinct values of a page with which it can still have a filter.
    static func pageValueCountMax(_ subject: IndexSubject, rowCount: Int) -> Int {
        byteCountMax(subject, rowCount: rowCount) * 8 / filterBitsPerValueMin
    }

    /// The blocks of the filter of one page; nil when it goes without.
    static func filterBlockCount(_ subject: IndexSubject, valueCount: Int, rowCount: Int) -> Int? {
        guard valueCount <= pageValueCountMax(subject, rowCount: rowCount) else { return nil }
        let bitCount = min(valueCount * filterBitsPerValue, byteCountMax(subject, rowCount: rowCount) * 8)
        let blockBitCount = SplitBlockFilter.blockByteCount * 8
        return max(1, (bitCount + blockBitCount - 1) / blockBitCount)
    }

    /// What the filter of a page would take if it might take what it likes.
    static func filterByteCount(valueCount: Int) -> Int { valueCount * filterBitsPerValue / 8 }

    /// Whether sets of this size are to be taken rather than filters.
    static func takesSets(_ subject: IndexSubject, setByteCount: Int, filterByteCount: Int, rowCount: Int) -> Bool {
        setByteCount <= max(exactFactor * filterByteCount, rowCount * smallBitsPerRow / 8, smallByteCount)
            && setByteCount <= byteCountMax(subject, rowCount: rowCount)
    }
}
