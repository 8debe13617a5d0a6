import DaybookEvent
import DaybookFormat

/// The first byte chooses the family, the rest is an encoding. Whatever is read must print without a trap, and be built
/// again to the very same bytes.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzEventFields(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 0 else { return 0 }
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    let family = Family.ofOrganizations[Int(input[0]) % Family.ofOrganizations.count]
    let encoding = Array(input.dropFirst())
    encoding.withRawSpan { bytes in
        guard let fields = try? EventFields(family: family, schemaVersion: 1, reading: bytes) else { return }
        precondition(rebuilt(fields, encoding) == encoding, "another encoding of the same fields")
        var printed: [UInt8] = []
        do throws(FormatError) {
            try EventPrinter.append(
                family: family, schemaVersion: 1, encoding: bytes, sequence: .max,
                arrival: Timestamp(microseconds: .min),
                organization: OrganizationID("acme")!, to: &printed)
        } catch {
            preconditionFailure("fields can be read but not printed: \(error)")
        }
    }
    return 0
}

private func rebuilt(_ fields: EventFields, _ encoding: [UInt8]) -> [UInt8] {
    var encoder = EventEncoder(family: fields.family)
    encoder.flags = fields.flags
    encoder.status = fields.status
    encoder.id = fields.id
    encoder.timestamp = fields.timestamp
    encoder.durationNanoseconds = fields.durationNanoseconds
    encoder.inputTokens = fields.inputTokens
    encoder.outputTokens = fields.outputTokens
    if let value = fields.value { encoder.value = value }
    if let count = fields.commandsExecuted { encoder.commandsExecuted = count }
    if let score = fields.productivityScore { encoder.productivityScore = score }
    if let start = fields.periodStart { encoder.periodStart = start }
    if let end = fields.periodEnd { encoder.periodEnd = end }
    var bytes: [UInt8] = []
    encoder.appendFixedPart(to: &bytes)
    for (string, flag) in EventLayout.strings(of: fields.family) where fields.flags.isSuperset(of: flag) {
        guard let range = fields.range(of: string) else { preconditionFailure("a flag without its string") }
        Array(encoding[range]).withRawSpan { span in
            if string == .agentsUsed {
                EventEncoder.appendAgentsUsed(region: span, to: &bytes)
            } else {
                EventEncoder.appendString(span, to: &bytes)
            }
        }
    }
    return bytes
}
