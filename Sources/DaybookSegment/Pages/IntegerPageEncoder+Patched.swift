internal import DaybookFormat

extension IntegerPageEncoder {
    /// A page with a few values, or differences, written apart.
    struct PatchedChoice {
        var encoding: PageEncoding
        var choice: PatchedBlock.Choice
    }

    /// The cheaper one of the two, when it takes fewer bytes than `limit`. Of differences, `differences` holds them.
    mutating func patchedChoice(_ values: UnsafeBufferPointer<UInt64>, below limit: Int) -> PatchedChoice? {
        var best: PatchedChoice?
        var least = limit
        if let choice = unsafe patched.choose(values), choice.byteCount < least {
            least = choice.byteCount
            best = PatchedChoice(encoding: .patched, choice: choice)
        }
        differences.removeAll(keepingCapacity: true)
        for index in 1..<values.count { differences.append(unsafe values[index] &- values[index - 1]) }
        let choice = unsafe differences.withUnsafeBufferPointer { unsafe patched.choose($0) }
        if let choice, choice.byteCount + 8 < least {
            best = PatchedChoice(encoding: .patchedDelta, choice: choice)
        }
        return best
    }

    mutating func writePatched(
        _ values: UnsafeBufferPointer<UInt64>, _ found: PatchedChoice, to payload: inout [UInt8]
    ) {
        guard found.encoding == .patchedDelta else {
            return unsafe patched.append(values, found.choice, to: &payload)
        }
        payload.append(littleEndian: unsafe values[0])
        unsafe differences.withUnsafeBufferPointer { unsafe patched.append($0, found.choice, to: &payload) }
    }
}
