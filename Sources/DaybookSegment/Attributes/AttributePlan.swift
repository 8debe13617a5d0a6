/// A path of one object that becomes a column in a row group.
struct PlannedAttribute {
    var node: Int
    var attribute: SegmentAttribute
    /// The leaves that go to the column.
    var leaves: [LeafKind]
    /// Of strings the one to begin with: a writer that meets too many distinct ones takes bytes.
    var shape: ColumnNumber.Shape
    var rowCount: Int
    /// Whether other scalars of the path stay in the rest, so that a missing value here says nothing.
    var isAlsoInRest: Bool
    var columnNumber: UInt16 = 0
}

extension ObjectShredder {
    /// The paths that are frequent enough, the most frequent first.
    func plan(_ root: AttributeName.Root, threshold: Int) -> [PlannedAttribute] {
        var plan: [PlannedAttribute] = []
        for node in table.nodes.indices.dropFirst()
        where table.nodes[node].pathByteCount <= SegmentLimits.attributePathByteCountMax {
            guard let best = bestKind(node), best.rowCount >= threshold else { continue }
            let name = AttributeName(root: root, keys: table.keys(node))
            let all = LeafKind.allCases.prefix(LeafKind.typedCount).reduce(0) { $0 + tape.count(node, $1) }
            plan.append(
                PlannedAttribute(
                    node: node, attribute: SegmentAttribute(name: name, kind: best.kind), leaves: best.leaves,
                    shape: best.shape, rowCount: best.rowCount,
                    isAlsoInRest: all > best.rowCount || oddNodes[node] || wholeCount > 0))
        }
        plan.sort { left, right in
            left.rowCount != right.rowCount
                ? left.rowCount > right.rowCount : left.attribute.name.precedes(right.attribute.name)
        }
        return plan
    }

    private typealias Candidate = (
        kind: AttributeKind, leaves: [LeafKind], shape: ColumnNumber.Shape, rowCount: Int
    )

    /// The kind that holds most of a path's values.
    private func bestKind(_ node: Int) -> Candidate? {
        var candidates: [Candidate] = [
            (.string, [.string], .code, 0),
            // Both ends of the range do not fit one column.
            negativeNodes[node] || tape.count(node, .huge) == 0
                ? (.integer, [.small, .large], .signed, 0) : (.integer, [.small, .large, .huge], .unsigned, 0),
            (.boolean, [.boolean], .unsigned, 0),
        ]
        if tape.count(node, .number) > 0 { candidates.append((.number, [.small, .number], .number, 0)) }
        var best: Candidate?
        for candidate in candidates {
            let rowCount = candidate.leaves.reduce(0) { $0 + tape.count(node, $1) }
            guard rowCount > best?.rowCount ?? 0 else { continue }
            best = (candidate.kind, candidate.leaves, candidate.shape, rowCount)
        }
        return best
    }
}

/// The attributes of a segment in the order of their column numbers, while it is written.
struct AttributeSchema {
    private(set) var attributes: [SegmentAttribute] = []
    private var numbers: [SegmentAttribute: UInt16] = [:]

    /// The attribute's column number; nil when it is new and there is no number left.
    mutating func number(of attribute: SegmentAttribute) -> UInt16? {
        if let known = numbers[attribute] { return known }
        guard attributes.count < SegmentLimits.attributeCountMax else { return nil }
        let number = SegmentAttribute.columnNumber(attributes.count)
        attributes.append(attribute)
        numbers[attribute] = number
        return number
    }
}
