internal import Synchronization

/// Users of one organization who are to be forgotten, each up to a sequence: nobody sees these rows any more, although
/// their bytes may still be there. Knows them by keyed hashes alone; the hash of a name is made once and remembered.
package final class ErasedUsers: Sendable {
    package struct User: Sendable, Equatable {
        package var hash: [UInt8]
        /// Rows behind it are those of a user who came back.
        package var through: UInt64

        package init(hash: [UInt8], through: UInt64) {
            self.hash = hash
            self.through = through
        }
    }

    private struct Known {
        var ends: [[UInt8]: UInt64] = [:]
        /// Of the dictionaries that were asked about last.
        var tables: [(table: StringTable, ends: [UInt64]?)] = []
    }

    private static let nameCountMax = 65_536
    private static let tableCountMax = 8

    package let users: [User]
    /// No row behind it is hidden.
    package let through: UInt64
    private let hash: @Sendable ([UInt8]) -> [UInt8]
    private let known = Mutex(Known())

    /// - Parameter hash: the keyed hash of a user's name.
    package init(_ users: [User], hash: @escaping @Sendable ([UInt8]) -> [UInt8]) {
        self.users = users
        through = users.map(\.through).max() ?? 0
        self.hash = hash
    }

    /// The last sequence up to which rows of this user are hidden; 0 when none are.
    package func end(of user: [UInt8]) -> UInt64 {
        if let end = known.withLock({ $0.ends[user] }) { return end }
        let code = hash(user)
        let end = users.reduce(0) { $1.hash == code ? max($0, $1.through) : $0 }
        known.withLock { known in
            if known.ends.count >= Self.nameCountMax { known.ends.removeAll() }
            known.ends[user] = end
        }
        return end
    }

    /// For every string of a dictionary of users the sequence up to which its rows are hidden; nil when there are none.
    package func ends(in table: StringTable) -> [UInt64]? {
        if let found = known.withLock({ $0.tables.first { $0.table === table } }) { return found.ends }
        var ends = [UInt64](repeating: 0, count: table.count)
        var isFound = false
        for code in ends.indices {
            ends[code] = end(of: Array(table.bytes[table.range(of: UInt32(code))]))
            if ends[code] > 0 { isFound = true }
        }
        let result = isFound ? ends : nil
        known.withLock { known in
            if known.tables.count >= Self.tableCountMax { known.tables.removeFirst() }
            known.tables.append((table, result))
        }
        return result
    }

    /// Which rows of a batch are hidden; nil when none are. Precondition: users and sequences were selected.
    package func hiddenRows(of batch: ColumnBatch) -> [Bool]? {
        guard let users = batch.users, batch.sequences.count == batch.rowCount else {
            preconditionFailure("users and sequences were not selected")
        }
        guard let ends = ends(in: users.table) else { return nil }
        var isFound = false
        let hidden = (0..<batch.rowCount).map { row in
            let code = users.codes[row]
            let isHidden = code < ends.count && batch.sequences[row] <= ends[Int(code)]
            isFound = isFound || isHidden
            return isHidden
        }
        return isFound ? hidden : nil
    }
}
