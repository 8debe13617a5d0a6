package import DaybookEvent
package import DaybookFormat

/// Where two rollup files of the same events part.
package struct RollupDifference: Equatable, Sendable {
    package enum Reason: Equatable, Sendable {
        /// Log, family, sequences, checksum of the segment, or number of events.
        case identity
        case damage(FormatError)
        /// One of the two does not store the grain and window.
        case onlyStored
        case onlyDerived
        case missingRow
        case extraRow
        case differentRow
        /// The rows agree, the bytes do not.
        case encoding
    }

    package var reason: Reason
    package var grain: RollupGrain?
    package var window: RollupWindow?
    /// Microseconds since 1970.
    package var windowStart: Int64?
    package var status: EventStatus?
    /// The name or user; nil in the grain without, and for events without.
    package var key: [UInt8]?
}

extension RollupDifference: CustomStringConvertible {
    package var description: String {
        var words: [String] = ["\(reason)"]
        if let grain { words.append("grain \(grain)") }
        if let window { words.append("window \(window)") }
        if let windowStart { words.append("start \(windowStart)") }
        if let status { words.append("status \(status.name)") }
        if let key { words.append("key \(String(decoding: key, as: UTF8.self))") }
        return words.joined(separator: ", ")
    }
}

extension RollupFile {
    /// The first difference between this file, as it was stored, and one that was derived from the rows again; nil when
    /// they are the same to the bit. Finer windows come before coarser ones.
    package func compare(derived: RollupFile) -> RollupDifference? {
        if storage == derived.storage { return nil }
        guard identity == derived.identity, eventCount == derived.eventCount else {
            return RollupDifference(reason: .identity)
        }
        for grain in RollupGrain.allCases {
            for window in RollupWindow.allCases {
                if let difference = compare(derived, grain, window) { return difference }
            }
        }
        if let damage = damages.first { return RollupDifference(reason: .damage(damage.reason)) }
        return RollupDifference(reason: .encoding)
    }

    private func compare(
        _ derived: RollupFile, _ grain: RollupGrain, _ window: RollupWindow
    ) -> RollupDifference? {
        let isHere = finestWindow(grain).map { $0 <= window } ?? false
        let isThere = derived.finestWindow(grain).map { $0 <= window } ?? false
        guard isHere || isThere else { return nil }
        guard isHere, isThere else {
            return RollupDifference(reason: isHere ? .onlyStored : .onlyDerived, grain: grain, window: window)
        }
        guard let section = section(grain, window), let other = derived.section(grain, window) else {
            let reason = damages.first?.reason ?? derived.damages.first?.reason ?? .invalid("rollup section")
            return RollupDifference(reason: .damage(reason), grain: grain, window: window)
        }
        do throws(FormatError) {
            let rows = try namedRows(of: section)
            let wanted = try derived.namedRows(of: other)
            var index = 0
            while index < rows.count || index < wanted.count {
                guard index < rows.count else { return wanted[index].difference(.missingRow, grain, window) }
                guard index < wanted.count else { return rows[index].difference(.extraRow, grain, window) }
                if rows[index].place == wanted[index].place {
                    guard rows[index].aggregate == wanted[index].aggregate else {
                        return wanted[index].difference(.differentRow, grain, window)
                    }
                } else if rows[index].precedes(wanted[index]) {
                    return rows[index].difference(.extraRow, grain, window)
                } else {
                    return wanted[index].difference(.missingRow, grain, window)
                }
                index += 1
            }
            return nil
        } catch {
            return RollupDifference(reason: .damage(error), grain: grain, window: window)
        }
    }

    /// A row whose key is a string, because codes of two files mean different strings.
    private struct NamedRow {
        struct Place: Equatable {
            var status: UInt8
            var windowStart: Int64
            var key: [UInt8]?
        }

        var place: Place
        var hasStatus: Bool
        var aggregate: AggregateRow

        func precedes(_ other: NamedRow) -> Bool {
            if place.status != other.place.status { return place.status < other.place.status }
            if place.windowStart != other.place.windowStart { return place.windowStart < other.place.windowStart }
            guard let left = place.key else { return other.place.key != nil }
            guard let right = other.place.key else { return false }
            return left.lexicographicallyPrecedes(right)
        }

        func difference(
            _ reason: RollupDifference.Reason, _ grain: RollupGrain, _ window: RollupWindow
        ) -> RollupDifference {
            RollupDifference(
                reason: reason, grain: grain, window: window, windowStart: place.windowStart,
                status: hasStatus ? EventStatus(rawValue: place.status) : nil, key: place.key)
        }
    }

    private func namedRows(of section: RollupSection) throws(FormatError) -> [NamedRow] {
        let rows = try rows(of: section)
        let dictionary = dictionary(of: section.grain)
        return rows.windows.indices.map { row in
            let key = rows.keys[row]
            return NamedRow(
                place: NamedRow.Place(
                    status: rows.statuses[row], windowStart: rows.windows[row] * section.window.microseconds,
                    key: key == 0 ? nil : Array(dictionary.bytes(of: key - 1))),
                hasStatus: shape != .values, aggregate: rows.aggregate(row))
        }
    }
}
