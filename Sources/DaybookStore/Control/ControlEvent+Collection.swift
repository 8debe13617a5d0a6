internal import DaybookFormat

/// How dead letters and the choice of durability are written. Spec: docs/format/control.md.
extension ControlEvent {
    static func append(_ letter: DeadLetter, to bytes: inout [UInt8]) {
        appendHead(.deadLettered, letter.lastAttemptAt, to: &bytes)
        bytes.append(littleEndian: letter.id)
        bytes.append(letter.kind.rawValue)
        bytes.append(littleEndian: letter.sequences.lowerBound)
        bytes.append(littleEndian: letter.sequences.upperBound)
        bytes.append(littleEndian: letter.attemptCount)
        bytes.append(littleEndian: letter.firstAttemptAt.microseconds)
        for text in [letter.organization.text, letter.subject, letter.error] { bytes.append(lengthPrefixed: text) }
    }

    static func append(removedDeadLetter id: UInt64, isReplayed: Bool, _ time: Timestamp, to bytes: inout [UInt8]) {
        appendHead(.deadLetterRemoved, time, flags: isReplayed ? DeadLetterFlags.isReplayed : 0, to: &bytes)
        bytes.append(littleEndian: id)
    }

    /// Precondition: one of the kinds that this file writes.
    static func collection(
        _ reader: inout ByteReader, _ bytes: RawSpan, _ kind: Kind, _ flags: UInt8, at time: Timestamp
    ) throws(FormatError) -> ControlEvent {
        switch kind {
        case .deadLettered: return try deadLetter(&reader, bytes, at: time)
        case .deadLetterRemoved:
            let isReplayed = flags & DeadLetterFlags.isReplayed != 0
            return .deadLetterRemoved(id: try reader.uint64(bytes), isReplayed: isReplayed, at: time)
        case .durabilitySet: return try durability(&reader, bytes, at: time)
        default: preconditionFailure("an act of another file")
        }
    }

    private static func deadLetter(
        _ reader: inout ByteReader, _ bytes: RawSpan, at time: Timestamp
    ) throws(FormatError) -> ControlEvent {
        let id = try reader.uint64(bytes)
        guard let kind = DeadLetter.Kind(rawValue: try reader.uint8(bytes)) else { throw .invalid("dead letter kind") }
        let (first, last) = (try reader.uint64(bytes), try reader.uint64(bytes))
        guard first >= 1, first <= last else { throw .invalid("dead letter sequences") }
        let attemptCount = try reader.uint32(bytes)
        guard attemptCount >= 1 else { throw .invalid("dead letter attempts") }
        let firstAttemptAt = Timestamp(microseconds: try reader.int64(bytes))
        let organization = try reader.organization(bytes)
        let (subject, error) = (try reader.validText(bytes), try reader.validText(bytes))
        guard subject.utf8.count <= DeadLetter.textByteCountMax, error.utf8.count <= DeadLetter.textByteCountMax else {
            throw .invalid("dead letter text")
        }
        return .deadLettered(
            DeadLetter(
                id: id, organization: organization, kind: kind, sequences: first...last, subject: subject,
                attemptCount: attemptCount, firstAttemptAt: firstAttemptAt, lastAttemptAt: time, error: error))
    }

    static func append(
        _ organization: OrganizationID, _ durability: Durability, _ time: Timestamp, to bytes: inout [UInt8]
    ) {
        appendHead(.durabilitySet, time, to: &bytes)
        bytes.append(lengthPrefixed: organization.text)
        bytes.append(durability.rawValue)
    }

    private static func durability(
        _ reader: inout ByteReader, _ bytes: RawSpan, at time: Timestamp
    ) throws(FormatError) -> ControlEvent {
        let organization = try reader.organization(bytes)
        guard let durability = Durability(rawValue: try reader.uint8(bytes)) else { throw .invalid("durability") }
        return .durabilitySet(organization, durability, at: time)
    }
}
