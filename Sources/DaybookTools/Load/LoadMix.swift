internal import DaybookFormat

/// What a request of a load run is.
package enum LoadKind: String, CaseIterable, Sendable {
    case single
    case batch
    case question
}

/// Which questions a load run asks.
package enum LoadQuestion: String, CaseIterable, Sendable {
    /// What a dashboard asks again and again: the last 24 hours by command, and the newest 20 commands.
    case small
    /// 30 days of raw rows, by the hour and an attribute.
    case heavy

    private static let day: Int64 = 24 * 3_600_000_000
    private static let minute: Int64 = 60_000_000
    /// Questions that differ in where their range begins: what keeps answers must not be measured.
    private static let count: Int64 = 64

    /// Paths and queries of requests.
    func targets(until end: Timestamp) -> [String] {
        (0..<Self.count).map { number in
            switch self {
            case .small where number % 2 == 0: lastDay(before: end, number)
            case .small: newest(before: end, number)
            case .heavy: everything(before: end, number)
            }
        }
    }

    /// Up to what arrives while the run lasts.
    private func lastDay(before end: Timestamp, _ number: Int64) -> String {
        var target = QueryTarget("aggregated")
        target.add("start_date", end.adding(microseconds: -Self.day - number * Self.minute))
        target.add("end_date", end.adding(microseconds: Self.day))
        target.add("aggregation_window", "total")
        target.add("group_by", "command_name")
        target.add("percentiles", "95")
        return target.text
    }

    private func newest(before end: Timestamp, _ number: Int64) -> String {
        var target = QueryTarget("commands")
        target.add("end_date", end.adding(microseconds: Self.day + number * Self.minute))
        target.add("limit", "20")
        return target.text
    }

    private func everything(before end: Timestamp, _ number: Int64) -> String {
        var target = QueryTarget("aggregated")
        target.add("start_date", end.adding(microseconds: -30 * Self.day - number * Self.minute))
        target.add("end_date", end)
        target.add("aggregation_window", "1h")
        target.add("source", "raw")
        target.add("group_by", "context.project")
        target.add("percentiles", "95")
        target.add("limit", "1000")
        return target.text
    }
}

/// How many of 100 requests are what, drawn anew for each request; the rest are single events.
package struct LoadMix: Sendable, Equatable {
    package var batchPercent: Int
    package var questionPercent: Int
    package var question = LoadQuestion.small

    /// Precondition: both from 0 to 100, and no more than 100 together.
    package init(batchPercent: Int, questionPercent: Int, question: LoadQuestion = .small) {
        precondition(batchPercent >= 0 && questionPercent >= 0 && batchPercent + questionPercent <= 100)
        self.batchPercent = batchPercent
        self.questionPercent = questionPercent
        self.question = question
    }

    package static let singles = LoadMix(batchPercent: 0, questionPercent: 0)
    package static let batches = LoadMix(batchPercent: 100, questionPercent: 0)

    var kinds: [LoadKind] { LoadKind.allCases.filter { percent($0) > 0 } }

    func percent(_ kind: LoadKind) -> Int {
        switch kind {
        case .single: 100 - batchPercent - questionPercent
        case .batch: batchPercent
        case .question: questionPercent
        }
    }
}

/// The bodies of a workload in the order in which they are sent: each kind goes round and round by itself.
struct LoadSequence {
    private let mix: LoadMix
    private let places: [LoadKind: Range<Int>]
    private var sentCounts: [LoadKind: Int] = [:]
    private var random: GeneratorRandom

    init(_ workload: LoadWorkload, seed: UInt64) {
        mix = workload.mix
        places = workload.places
        random = GeneratorRandom(seed: seed)
    }

    /// An index into the bodies of the workload.
    mutating func next() -> Int {
        let kind = nextKind()
        guard let place = places[kind] else { preconditionFailure("a kind of the mix has no bodies") }
        let count = sentCounts[kind, default: 0]
        sentCounts[kind] = count + 1
        return place.lowerBound + count % place.count
    }

    private mutating func nextKind() -> LoadKind {
        let kinds = mix.kinds
        guard kinds.count > 1 else { return kinds[0] }
        var drawn = random.below(100)
        for kind in kinds {
            drawn -= mix.percent(kind)
            if drawn < 0 { return kind }
        }
        preconditionFailure("the shares of a mix are 100 together")
    }
}
