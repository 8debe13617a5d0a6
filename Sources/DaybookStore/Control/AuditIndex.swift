internal import DaybookFormat

/// Where the entries of the audit trail stand in the control log, so that a page reads what it shows and little more.
///
/// The log's sequences are cut into blocks of one size. Of each trail, an organization's or the whole store's, every block
/// that holds an entry of it is marked, with the number of entries before it. Nothing here is on the disk: it is made
/// again when the log is read at the start.
///
/// With too many marks the blocks become twice as large: memory stays below 16 bytes for each of `markCountMax` marks and
/// for each organization, and pages of sparse trails read more.
struct AuditIndex: Sendable {
    struct Mark: Sendable, Equatable {
        var block: UInt64
        /// Entries of the trail in earlier blocks.
        var entryCountBefore: UInt64
    }

    /// The marks of one trail, as they were at one moment.
    struct Trail: Sendable {
        /// Sequences of a block: two to the power of it.
        var blockShift: Int
        var marks: [Mark] = []
        var entryCount: UInt64 = 0
    }

    static let markCountMax = 1 << 17
    private static let blockShiftMin = 6

    private let markCountMax: Int
    private var blockShift = blockShiftMin
    private var whole = Trail(blockShift: blockShiftMin)
    private var trails: [OrganizationID: Trail] = [:]
    private(set) var markCount = 0
    /// With as many marks blocks are doubled.
    private var markCountToDoubleAt: Int
    private var lastSequence: UInt64 = 0

    init(markCountMax: Int = markCountMax) {
        self.markCountMax = markCountMax
        markCountToDoubleAt = markCountMax
    }

    /// - Parameter organization: nil for the trail of the whole store.
    func trail(of organization: OrganizationID?) -> Trail {
        guard let organization else { return whole }
        return trails[organization] ?? Trail(blockShift: blockShift)
    }

    /// Takes in acts that follow each other in the log. Precondition: sequences rise from call to call.
    mutating func note(_ acts: [ControlEvent], from firstSequence: UInt64) {
        for (offset, act) in acts.enumerated() {
            guard case .audited(let record) = act else { continue }
            note(record.organization, at: firstSequence + UInt64(offset))
        }
    }

    /// Precondition: sequences rise from call to call. Complexity: O(1), amortized.
    mutating func note(_ organization: OrganizationID?, at sequence: UInt64) {
        precondition(sequence > lastSequence)
        lastSequence = sequence
        let block = sequence >> blockShift
        markCount += whole.note(block)
        if let organization {
            markCount += trails[organization, default: Trail(blockShift: blockShift)].note(block)
        }
        if markCount >= markCountToDoubleAt { doubleBlocks() }
    }

    private mutating func doubleBlocks() {
        blockShift += 1
        markCount = whole.doubleBlocks()
        for id in trails.keys { markCount += trails[id]!.doubleBlocks() }
        // Of every trail one mark stays, however large the blocks are.
        markCountToDoubleAt = max(markCountMax, 2 * markCount)
    }
}

extension AuditIndex.Trail {
    /// Returns how many marks that added.
    fileprivate mutating func note(_ block: UInt64) -> Int {
        defer { entryCount += 1 }
        guard marks.last?.block != block else { return 0 }
        marks.append(AuditIndex.Mark(block: block, entryCountBefore: entryCount))
        return 1
    }

    /// Returns how many marks are left.
    fileprivate mutating func doubleBlocks() -> Int {
        blockShift += 1
        var kept: [AuditIndex.Mark] = []
        for mark in marks where kept.last?.block != mark.block >> 1 {
            kept.append(AuditIndex.Mark(block: mark.block >> 1, entryCountBefore: mark.entryCountBefore))
        }
        marks = kept
        return kept.count
    }

    /// The marks of the blocks that hold entries with these numbers, which count from 1. Complexity: O(log marks).
    func marks(of numbers: Range<UInt64>) -> ArraySlice<AuditIndex.Mark> {
        let end = marks.partitioningIndex { $0.entryCountBefore + 1 >= numbers.upperBound }
        let after = marks.partitioningIndex { $0.entryCountBefore + 1 > numbers.lowerBound }
        return marks[max(0, after - 1)..<end]
    }
}
