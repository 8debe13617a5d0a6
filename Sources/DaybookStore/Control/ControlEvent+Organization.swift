internal import DaybookFormat

/// How an organization's own configuration and its end are written. Spec: docs/format/control.md.
extension ControlEvent {
    /// Precondition: one of these acts.
    func appendOrganizationAct(to bytes: inout [UInt8]) {
        switch self {
        case .configurationSet(let organization, let configuration, let time):
            Self.append(organization, configuration, time, to: &bytes)
        case .organizationDeleted(let organization, let time):
            Self.appendHead(.organizationDeleted, time, to: &bytes)
            bytes.append(lengthPrefixed: organization.text)
        case .organizationRemoved(let log, let time):
            Self.appendHead(.organizationRemoved, time, to: &bytes)
            bytes.append(littleEndian: log.rawValue)
        default: preconditionFailure("an act of no organization")
        }
    }

    private static func append(
        _ organization: OrganizationID, _ configuration: OrganizationConfiguration, _ time: Timestamp,
        to bytes: inout [UInt8]
    ) {
        precondition(configuration.isWellFormed)
        appendHead(.configurationSet, time, to: &bytes)
        bytes.append(lengthPrefixed: organization.text)
        bytes.append(littleEndian: configuration.requestsPerMinute ?? 0)
        bytes.append(littleEndian: configuration.burst)
        bytes.append(littleEndian: configuration.concurrentBatchCount ?? 0)
        bytes.append(littleEndian: configuration.batchEventCountMax ?? 0)
        bytes.append(littleEndian: configuration.processingTimeoutMilliseconds ?? 0)
        bytes.append(littleEndian: configuration.errorRateThresholdMillipercent ?? .max)
        bytes.append(littleEndian: configuration.slowResponseThresholdMilliseconds ?? 0)
        bytes.append(lengthPrefixed: configuration.webhookURL)
    }

    /// Precondition: one of these kinds.
    static func organizationAct(
        _ reader: inout ByteReader, _ bytes: RawSpan, _ kind: Kind, at time: Timestamp
    ) throws(FormatError) -> ControlEvent {
        switch kind {
        case .configurationSet: return try configuration(&reader, bytes, at: time)
        case .organizationDeleted: return .organizationDeleted(try reader.organization(bytes), at: time)
        case .organizationRemoved: return .organizationRemoved(log: LogID(try reader.uint64(bytes)), at: time)
        default: preconditionFailure("an act of no organization")
        }
    }

    private static func configuration(
        _ reader: inout ByteReader, _ bytes: RawSpan, at time: Timestamp
    ) throws(FormatError) -> ControlEvent {
        func given<Number: FixedWidthInteger>(_ number: Number, unless missing: Number = 0) -> Number? {
            number == missing ? nil : number
        }
        let organization = try reader.organization(bytes)
        var configuration = OrganizationConfiguration()
        configuration.requestsPerMinute = given(try reader.uint32(bytes))
        configuration.burst = try reader.uint32(bytes)
        configuration.concurrentBatchCount = given(try reader.uint16(bytes))
        configuration.batchEventCountMax = given(try reader.uint32(bytes))
        configuration.processingTimeoutMilliseconds = given(try reader.uint32(bytes))
        configuration.errorRateThresholdMillipercent = given(try reader.uint32(bytes), unless: .max)
        configuration.slowResponseThresholdMilliseconds = given(try reader.uint32(bytes))
        configuration.webhookURL = try reader.validText(bytes)
        guard configuration.isWellFormed else { throw .invalid("organization configuration") }
        return .configurationSet(organization, configuration, at: time)
    }
}
