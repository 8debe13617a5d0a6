internal import DaybookFormat
internal import DaybookLog

/// What reading the control log from the start brings.
struct ControlHistory {
    /// What all acts amount to.
    var state = ControlState()
    /// Oldest first, without the trail.
    var acts: [ControlEvent] = []
    var index = AuditIndex()
    let places = RecordPlaces()

    func trail(of organization: OrganizationID?) -> AuditIndex.Trail { index.trail(of: organization) }
}

extension OrganizationSnapshot {
    /// Precondition: of the control log. Complexity: O(bytes of it).
    func controlHistory() throws -> ControlHistory {
        var history = ControlHistory()
        try forEachControlAct(from: 1, history.places) { sequence, encoding in
            let act = try ControlEvent(reading: encoding)
            try history.state.take(act)
            if case .audited(let record) = act { history.index.note(record.organization, at: sequence) }
            if !act.isTrail { history.acts.append(act) }
            return true
        }
        return history
    }

    /// The encodings of all acts from a sequence on, or from one a little before it, oldest first, until `body` returns
    /// false.
    /// - Parameters:
    ///   - places: where to begin, which learn of where records are.
    ///   - windowByteCount: what is read of a file at a time.
    func forEachControlAct(
        from first: UInt64 = 1, _ places: RecordPlaces? = nil,
        windowByteCount: Int = LogFileReader.usualWindowByteCount, _ body: (UInt64, RawSpan) throws -> Bool
    ) throws {
        do {
            try forEachTailGroup(
                from: first, places: places, windowByteCount: windowByteCount,
                onDamage: { corruption, _ in note(corruption) },
                { header, record in
                    var entries = GroupEntries(of: header)
                    while let entry = try entries.next(record), entry.family == .control {
                        guard try body(entry.sequence, record.extracting(entry.encoding)) else { return false }
                    }
                    return true
                })
        } catch let error as FormatError {
            // Also what a later version wrote: an act that is not understood must not be passed over.
            throw Corruption(file: Layout.control, offset: 0, reason: error)
        }
    }
}
