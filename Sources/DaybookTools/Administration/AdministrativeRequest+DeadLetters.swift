/// Work that is not tried any more by itself. No organization: of all of them.
extension AdministrativeRequest {
    package static func listDeadLetters(organization: String?) -> [UInt8] {
        deadLetters("dlq.list", nil, organization)
    }

    package static func showDeadLetter(_ id: String) -> [UInt8] { deadLetters("dlq.show", id, nil) }

    /// - Parameter id: nil for all.
    package static func replayDeadLetters(_ id: String?, organization: String?) -> [UInt8] {
        deadLetters("dlq.replay", id, organization)
    }

    /// - Parameter id: nil for all.
    package static func purgeDeadLetters(_ id: String?, organization: String?) -> [UInt8] {
        deadLetters("dlq.purge", id, organization)
    }

    private static func deadLetters(_ verb: String, _ id: String?, _ organization: String?) -> [UInt8] {
        var request = JSONObjectWriter()
        request.field("verb", verb)
        if let id { request.field("dead_letter_id", id) }
        if let organization { request.field("organization", organization) }
        return request.finish()
    }
}
