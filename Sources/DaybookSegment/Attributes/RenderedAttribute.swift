internal import DaybookEvent
internal import DaybookFormat

/// The members of one attribute as text, `"key":value`: where a dictionary is small each distinct one is made once, all
/// others when they are wanted.
struct RenderedAttribute {
    /// Of a row without a value.
    private static let missing = UInt32.max

    /// What stands before every text; empty when it is part of it.
    private let prefix: [UInt8]
    /// What is not made beforehand.
    private let column: AttributeColumn
    private let isMadeBefore: Bool
    private var bytes: [UInt8] = []
    /// Text `n` is `bytes[offsets[n]..<offsets[n + 1]]`.
    private var offsets: [UInt32] = [0]
    /// Of each row its text.
    private var texts: [UInt32] = []

    private static let literalByteCountMax = 64

    /// - Parameters:
    ///   - rowCount: about how many rows are wanted.
    ///   - literal: the key in quotes, with its colon.
    init(_ column: AttributeColumn, rowCount: Int, literal: [UInt8]) {
        guard case .codes(let codes) = column.values, codes.table.count <= rowCount else {
            prefix = literal
            self.column = column
            isMadeBefore = false
            return
        }
        self.column = .none
        isMadeBefore = true
        // A long key is not repeated for every string.
        prefix = literal.count > Self.literalByteCountMax ? literal : []
        let literal = prefix.isEmpty ? literal : []
        for code in 0..<UInt32(codes.table.count) {
            bytes.append(contentsOf: literal)
            codes.table.withBytes(of: code) { JSONText.append($0, to: &bytes) }
            offsets.append(UInt32(bytes.count))
        }
        texts = codes.codes
    }

    @inline(__always)
    func isPresent(_ row: Int) -> Bool { isMadeBefore ? texts[row] != Self.missing : column.isPresent(row) }

    /// Precondition: the row has a value.
    @inline(__always)
    func append(_ row: Int, to target: inout JSONWriter) {
        if !prefix.isEmpty { prefix.withRawSpan { target.raw($0) } }
        guard isMadeBefore else { return column.appendJSON(row, to: &target) }
        let text = Int(texts[row])
        let range = Int(offsets[text])..<Int(offsets[text + 1])
        bytes.withRawSpan { target.raw($0.extracting(range)) }
    }
}
