internal import DaybookFormat

/// The hours of a span, weighted as people work: turns "event 4,000 of 10,000" into a moment of the span.
struct WorkingHours: Sendable {
    private let start: Int64
    private let slots: [Slot]
    private let totalWeight: UInt64

    private struct Slot: Sendable {
        var weightBefore: UInt64
        var weight: UInt64
        var durationMicroseconds: Int64
    }

    private static let hourMicroseconds: Int64 = 3_600_000_000

    /// Precondition: `start` lies before `end`.
    init(start: Timestamp, end: Timestamp) {
        precondition(start < end)
        self.start = start.microseconds
        var slots: [Slot] = []
        var total: UInt64 = 0
        var time = start.microseconds
        while time < end.microseconds {
            let duration = min(Self.hourMicroseconds, end.microseconds - time)
            let hour = Int((time / Self.hourMicroseconds) % 24 + 24) % 24
            let weight = UInt64(GeneratorVocabulary.hourWeights[hour]) * UInt64(duration)
            slots.append(Slot(weightBefore: total, weight: weight, durationMicroseconds: duration))
            total += weight
            time += duration
        }
        self.slots = slots
        totalWeight = total
    }

    /// Somewhere in the share of the span that event `index` of `count` has: ascending in `index`.
    func moment(ofEvent index: Int, of count: Int, random: inout GeneratorRandom) -> Timestamp {
        let low = Self.scale(totalWeight, UInt64(index), UInt64(count))
        let high = Self.scale(totalWeight, UInt64(index + 1), UInt64(count))
        let target = low + UInt64(random.below(Int(max(1, high - low))))
        let slotIndex = slot(at: target)
        let slot = slots[slotIndex]
        let within = Self.scale(UInt64(slot.durationMicroseconds), target - slot.weightBefore, slot.weight)
        return Timestamp(microseconds: start + Int64(slotIndex) * Self.hourMicroseconds + Int64(within))
    }

    private func slot(at target: UInt64) -> Int {
        var low = 0
        var high = slots.count - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if slots[middle].weightBefore <= target { low = middle } else { high = middle - 1 }
        }
        return low
    }

    /// `value * numerator / denominator` without overflow on the way.
    private static func scale(_ value: UInt64, _ numerator: UInt64, _ denominator: UInt64) -> UInt64 {
        denominator.dividingFullWidth(value.multipliedFullWidth(by: numerator)).quotient
    }
}

/// The forms in which clients write a time. All of them are legal for Daybook.
enum GeneratorTimeForm: CaseIterable {
    case milliseconds, microseconds, seconds, offset, epochMilliseconds
}

extension JSONObjectWriter {
    mutating func field(_ name: String, _ time: Timestamp, as form: GeneratorTimeForm) {
        switch form {
        case .milliseconds: field(name, rfc3339(time, decimals: 3, offsetMinutes: 0))
        case .microseconds: field(name, rfc3339(time, decimals: 6, offsetMinutes: 0))
        case .seconds: field(name, rfc3339(time, decimals: 0, offsetMinutes: 0))
        case .offset: field(name, rfc3339(time, decimals: 3, offsetMinutes: 330))
        case .epochMilliseconds: field(name, time.microseconds / 1_000)
        }
    }
}

/// `2026-06-15T09:13:02.123Z`, or the local time and its offset. Digits beyond `decimals` are cut off.
func rfc3339(_ time: Timestamp, decimals: Int, offsetMinutes: Int) -> String {
    let local = time.microseconds + Int64(offsetMinutes) * 60_000_000
    var day = local / 86_400_000_000
    var rest = local % 86_400_000_000
    if rest < 0 {
        day -= 1
        rest += 86_400_000_000
    }
    let date = civilDate(daysSince1970: Int(day))
    var text = "\(digits(date.year, 4))-\(digits(date.month, 2))-\(digits(date.day, 2))T"
    let seconds = Int(rest / 1_000_000)
    text += "\(digits(seconds / 3_600, 2)):\(digits(seconds / 60 % 60, 2)):\(digits(seconds % 60, 2))"
    let fraction = digits(Int(rest % 1_000_000), 6)
    if decimals > 0 { text += "." + fraction.prefix(decimals) }
    guard offsetMinutes != 0 else { return text + "Z" }
    let magnitude = abs(offsetMinutes)
    return text + (offsetMinutes < 0 ? "-" : "+") + "\(digits(magnitude / 60, 2)):\(digits(magnitude % 60, 2))"
}

private func digits(_ value: Int, _ width: Int) -> String {
    let text = String(value)
    return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
}

/// The Gregorian date of a day, by counting in years that begin in March (the leap day is then the last of its year).
private func civilDate(daysSince1970: Int) -> (year: Int, month: Int, day: Int) {
    let days = daysSince1970 + 719_468
    let era = (days >= 0 ? days : days - 146_096) / 146_097
    let dayOfEra = days - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
}
