package import DaybookFormat

/// Makes one rollup file of those of several segments, without their rows.
package enum RollupMerge {
    package enum Outcome: Sendable, Equatable {
        /// To the bit what a builder makes of all rows; nil when no grain pays any more.
        case merged([UInt8]?)
        /// A file does not store this grain and window, and together they may have to: derive the file from the rows.
        case needsRows(RollupGrain, RollupWindow)
        /// A part of a file is damaged: derive the file from the rows.
        case damaged(RollupDamage)
    }

    /// A segment without a rollup file counts, too: its events are `eventCount`, and no grain of them paid.
    package enum Input: Sendable {
        case file(RollupFile)
        case nothingStored(eventCount: UInt64)

        var eventCount: UInt64 {
            switch self {
            case .file(let file): file.eventCount
            case .nothingStored(let eventCount): eventCount
            }
        }

        var file: RollupFile? {
            guard case .file(let file) = self else { return nil }
            return file
        }
    }

    /// Under a policy of only records there are no rows to ask: a grain is merged by the finest window that all files have
    /// that have the grain at all. Files that agree in that lose nothing, and then the order of merging makes no difference.
    /// - Parameter policy: of all the files.
    /// Precondition: all files are of the family of `identity`.
    package static func merge(
        _ inputs: [Input], as identity: RollupIdentity, policy: RollupPolicy.Storage = .besideSegments
    ) throws(FormatError) -> Outcome {
        let eventCount = inputs.reduce(0) { $0 + $1.eventCount }
        var scratch = BinScratch()
        var encoder = RollupEncoder(identity, eventCount: eventCount)
        for input in inputs {
            precondition(input.file.map { $0.identity.family == identity.family } ?? true)
            if let damage = input.file?.damages.first { return .damaged(damage) }
        }
        for grain in RollupGrain.allCases {
            var strings = RollupStrings()
            var parts: [RollupRows] = []
            let common = policy.isOnlyRecord ? commonOfThose(with: grain, inputs) : commonOfAll(grain, inputs)
            if !policy.isOnlyRecord, let missing = undecided(grain, inputs, common, eventCount) {
                return .needsRows(grain, missing)
            }
            if let common {
                for input in inputs {
                    guard let file = input.file, let section = file.section(grain, common) else { continue }
                    var rows = try file.rows(of: section)
                    if grain.hasKeys { rows.replaceKeys(by: strings.keys(of: file.dictionary(of: grain))) }
                    parts.append(rows)
                }
            }
            let rows = parts.isEmpty ? nil : RollupRows.merged(parts, &scratch)
            encoder.append(
                grain, rows?.paying(grain, policy, eventCount: eventCount, &scratch), strings: strings, &scratch)
        }
        return .merged(encoder.finish())
    }

    /// The finest window that every input has; nil when one has none.
    private static func commonOfAll(_ grain: RollupGrain, _ inputs: [Input]) -> RollupWindow? {
        var common: RollupWindow? = .oneMinute
        for input in inputs where input.eventCount > 0 {
            guard let window = input.file?.finestWindow(grain), let other = common else { return nil }
            common = max(window, other)
        }
        return common
    }

    /// The same of the inputs that have the grain: all its rows may have gone with a user.
    private static func commonOfThose(with grain: RollupGrain, _ inputs: [Input]) -> RollupWindow? {
        inputs.compactMap { $0.file?.finestWindow(grain) }.max()
    }

    /// The window just finer than what all inputs have, unless the events together cannot pay for it for sure.
    private static func undecided(
        _ grain: RollupGrain, _ inputs: [Input], _ common: RollupWindow?, _ eventCount: UInt64
    ) -> RollupWindow? {
        let finer: RollupWindow?
        if let common { finer = RollupWindow(rawValue: common.rawValue - 1) } else { finer = .oneDay }
        guard let finer else { return nil }
        // Rows of one input are rows of all. An input without the window has more rows than it could pay for.
        var rowCountMin: UInt64 = 0
        for input in inputs where input.eventCount > 0 {
            let stored = input.file?.section(grain, finer).map { UInt64($0.rowCount) }
            rowCountMin = max(rowCountMin, stored ?? input.eventCount / RollupPolicy.eventsPerRowMin + 1)
        }
        return rowCountMin > eventCount / RollupPolicy.eventsPerRowMin ? nil : finer
    }
}

extension RollupStrings {
    /// For each key of a dictionary the key here.
    fileprivate mutating func keys(of dictionary: RollupDictionary) -> [UInt32] {
        var keys: [UInt32] = [0]
        for code in 0..<UInt32(dictionary.count) { keys.append(key(of: Array(dictionary.bytes(of: code)))) }
        return keys
    }
}
