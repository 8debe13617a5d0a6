internal import DaybookEvent
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
    var bytes: [UInt8] = []
    TimestampText.append(time.adding(microseconds: Int64(offsetMinutes) * 60_000_000), to: &bytes)
    let secondsByteCount = 19
    bytes.removeLast(bytes.count - (decimals == 0 ? secondsByteCount : secondsByteCount + 1 + decimals))
    guard offsetMinutes != 0 else { return String(decoding: bytes, as: UTF8.self) + "Z" }
    let magnitude = abs(offsetMinutes)
    bytes.append(offsetMinutes < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
    for (index, part) in [magnitude / 60, magnitude % 60].enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ":")) }
        bytes.append(UInt8(ascii: "0") + UInt8(part / 10))
        bytes.append(UInt8(ascii: "0") + UInt8(part % 10))
    }
    return String(decoding: bytes, as: UTF8.self)
}
