package import DaybookFormat

/// What became of tokens. Names keys and numbers, never a token itself and never a user.
package enum TokenAct: Sendable, Equatable {
    /// A key got refresh tokens, the first of which has number 1.
    case grantBegun(id: UInt64, keyID: String, endsAt: Timestamp)
    /// From here on the refresh token of this number is the one that may be used.
    case grantUsed(id: UInt64, keyID: String, number: UInt32)
    /// - Parameter wasUsedTwice: because one of its refresh tokens came a second time; else because somebody asked.
    case grantRevoked(id: UInt64, keyID: String, wasUsedTwice: Bool)
    /// - Parameter until: when the access token has ended by itself in any case.
    case tokenRevoked(id: String, OrganizationID, until: Timestamp)
}

/// How they are written. Spec: docs/format/control.md.
extension ControlEvent {
    static func append(_ act: TokenAct, _ time: Timestamp, to bytes: inout [UInt8]) {
        switch act {
        case .grantBegun(let id, let keyID, let endsAt):
            appendHead(.grantBegun, time, to: &bytes)
            bytes.append(littleEndian: id)
            bytes.append(littleEndian: endsAt.microseconds)
            bytes.append(lengthPrefixed: keyID)
        case .grantUsed(let id, let keyID, let number):
            appendHead(.grantUsed, time, to: &bytes)
            bytes.append(littleEndian: id)
            bytes.append(littleEndian: number)
            bytes.append(lengthPrefixed: keyID)
        case .grantRevoked(let id, let keyID, let wasUsedTwice):
            appendHead(.grantRevoked, time, flags: wasUsedTwice ? GrantFlags.wasUsedTwice : 0, to: &bytes)
            bytes.append(littleEndian: id)
            bytes.append(lengthPrefixed: keyID)
        case .tokenRevoked(let id, let organization, let until):
            appendHead(.tokenRevoked, time, to: &bytes)
            bytes.append(littleEndian: until.microseconds)
            bytes.append(lengthPrefixed: organization.text)
            bytes.append(lengthPrefixed: id)
        }
    }

    /// Precondition: the kind is one of tokens.
    static func tokenAct(
        _ reader: inout ByteReader, _ bytes: RawSpan, _ kind: Kind, _ flags: UInt8
    ) throws(FormatError) -> TokenAct {
        switch kind {
        case .grantBegun:
            let id = try reader.uint64(bytes)
            let endsAt = Timestamp(microseconds: try reader.int64(bytes))
            return .grantBegun(id: id, keyID: try reader.validText(bytes), endsAt: endsAt)
        case .grantUsed:
            let id = try reader.uint64(bytes)
            let number = try reader.uint32(bytes)
            guard number > 1 else { throw .invalid("number of a refresh token") }
            return .grantUsed(id: id, keyID: try reader.validText(bytes), number: number)
        case .grantRevoked:
            let id = try reader.uint64(bytes)
            let wasUsedTwice = flags & GrantFlags.wasUsedTwice != 0
            return .grantRevoked(id: id, keyID: try reader.validText(bytes), wasUsedTwice: wasUsedTwice)
        case .tokenRevoked:
            let until = Timestamp(microseconds: try reader.int64(bytes))
            let organization = try reader.organization(bytes)
            return .tokenRevoked(id: try reader.validText(bytes), organization, until: until)
        default: preconditionFailure("an act that is not about tokens")
        }
    }
}
