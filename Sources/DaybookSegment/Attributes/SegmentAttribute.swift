/// The place of a value inside the free-form objects of an event.
package struct AttributeName: Hashable, Sendable {
    /// Which object of the event. The raw value is on disk.
    package enum Root: UInt8, CaseIterable, Sendable {
        /// `context`, `metadata` or `dimensions`.
        case object = 0
        /// `command_args`.
        case arguments = 1

        /// The column that holds what is left of the object.
        package var restColumn: ColumnNumber { self == .object ? .object : .arguments }
    }

    package let root: Root
    /// Unescaped UTF-8, outermost first; at least one. Keys are never joined: a dot in a key is a dot.
    package let keys: [[UInt8]]

    package init(root: Root, keys: [[UInt8]]) {
        precondition(!keys.isEmpty)
        self.root = root
        self.keys = keys
    }

    /// Whether `self` stands before `other` when an object is walked from its first member to its last.
    func precedes(_ other: AttributeName) -> Bool {
        if root != other.root { return root.rawValue < other.root.rawValue }
        for (left, right) in zip(keys, other.keys) where left != right {
            return left.lexicographicallyPrecedes(right)
        }
        return keys.count < other.keys.count
    }
}

/// What the values of an attribute's column are. The raw value is on disk.
package enum AttributeKind: UInt8, CaseIterable, Sendable {
    case string = 1
    /// From -2^63 to 2^63 - 1, or from 0 to 2^64 - 1, as the shape of the column says.
    case integer = 2
    /// Doubles; whole numbers that are exact as doubles may be among them.
    case number = 3
    case boolean = 4

    /// The shapes that a column of this kind may have.
    func allows(_ shape: ColumnNumber.Shape) -> Bool {
        switch self {
        case .string: shape == .code || shape == .bytes
        case .integer: shape == .signed || shape == .unsigned
        case .number: shape == .number
        case .boolean: shape == .unsigned
        }
    }
}

/// One attribute of a segment: a path whose values of one kind have a column of their own in some of the row groups.
package struct SegmentAttribute: Hashable, Sendable {
    package let name: AttributeName
    package let kind: AttributeKind

    package init(name: AttributeName, kind: AttributeKind) {
        self.name = name
        self.kind = kind
    }

    /// The column number of the attribute at `index` in the footer's list.
    static func columnNumber(_ index: Int) -> UInt16 { firstColumnNumber + UInt16(index) }

    static let firstColumnNumber: UInt16 = 256
    static let columnNumbers = firstColumnNumber..<firstColumnNumber + UInt16(SegmentLimits.attributeCountMax)
}
