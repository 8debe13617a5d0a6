internal import DaybookFormat

/// Pages whose differences change by little from one value to the next: times of something that beats faster or slower.
extension IntegerPageEncoder {
    /// The smallest and the largest difference of two differences that follow each other.
    struct SecondDifferences {
        var min: Int64
        var max: Int64

        var width: Int { BitPacking.width(of: UInt64(bitPattern: max &- min)) }
    }

    /// Nil for fewer than three values.
    static func secondDifferences(_ values: UnsafeBufferPointer<UInt64>) -> SecondDifferences? {
        guard values.count > 2 else { return nil }
        var found = SecondDifferences(min: .max, max: .min)
        var difference = unsafe values[1] &- values[0]
        for index in 2..<values.count {
            let next = unsafe values[index] &- values[index - 1]
            let second = Int64(bitPattern: next &- difference)
            found.min = Swift.min(found.min, second)
            found.max = Swift.max(found.max, second)
            difference = next
        }
        return found
    }

    /// Precondition: more than two values, of which `found` is said.
    mutating func writeSecondDifferences(
        _ values: UnsafeBufferPointer<UInt64>, _ found: SecondDifferences, to payload: inout [UInt8]
    ) {
        precondition(values.count > 2)
        var difference = unsafe values[1] &- values[0]
        payload.append(littleEndian: unsafe values[0])
        payload.append(littleEndian: difference)
        differences.removeAll(keepingCapacity: true)
        for index in 2..<values.count {
            let next = unsafe values[index] &- values[index - 1]
            differences.append(next &- difference)
            difference = next
        }
        unsafe differences.withUnsafeBufferPointer {
            unsafe Self.appendBlock($0, base: UInt64(bitPattern: found.min), width: found.width, to: &payload)
        }
    }
}
