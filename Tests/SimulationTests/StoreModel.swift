import DaybookFormat
import DaybookSegment
import DaybookStore

/// What the outside knows of one log: the ledger that the store is held against.
struct LogModel {
    struct Request: Equatable {
        var encodings: [[UInt8]]
        var families: [Family]
        var timestamps: [Timestamp]
        var users: [String]
        var key: UInt64?
        /// Of the last time it was submitted.
        var arrival = Timestamp(microseconds: 0)

        /// The same request may come again later.
        static func == (left: Request, right: Request) -> Bool {
            left.encodings == right.encodings && left.families == right.families && left.key == right.key
        }
    }

    struct Event {
        var encoding: [UInt8]
        var family: Family
        var timestamp: Timestamp
        var arrival: Timestamp
        var user: String
    }

    /// Acknowledged events by sequence; dense from 1.
    var stored: [Event] = []
    /// Which of them readers see by now. The others may be there or not.
    var visibility: (Family) -> RowVisibility = { _ in .everything }
    /// Users who are to be forgotten, each up to a sequence. Their events are to be hidden, and may be there or not.
    var erased: [(user: String, through: UInt64)] = []
    /// The erasure was carried out: nothing may be there any more.
    var gone: [(user: String, through: UInt64)] = []
    /// Where each acknowledged request stands.
    var answered: [(request: Request, first: UInt64)] = []
    /// Requests whose outcome nobody knows: whole or absent, once.
    var open: [Request] = []
    /// Requests that were refused with certainty: absent.
    var refused: [Request] = []

    mutating func acknowledge(_ request: Request, first: UInt64) -> String? {
        guard first == UInt64(stored.count) + 1 else {
            return "sequence \(first) was given out, \(stored.count + 1) was next"
        }
        for (index, encoding) in request.encodings.enumerated() {
            stored.append(
                Event(
                    encoding: encoding, family: request.families[index], timestamp: request.timestamps[index],
                    arrival: request.arrival, user: request.users[index]))
        }
        answered.append((request, first))
        return nil
    }

    /// Compares what a reader sees while the store runs: exactly what was acknowledged and has not expired, each event
    /// once and in order. Events that have expired may still be there.
    func difference(toVisible events: [(sequence: UInt64, encoding: [UInt8])]) -> String? {
        difference(to: events, through: stored.count)
    }

    private func difference(to events: [(sequence: UInt64, encoding: [UInt8])], through end: Int) -> String? {
        var next = 0
        for event in events {
            guard event.sequence >= 1, event.sequence <= UInt64(end) else {
                return "sequence \(event.sequence) is visible, \(end) were acknowledged"
            }
            let index = Int(event.sequence) - 1
            guard index >= next else { return "sequence \(event.sequence) is there twice, or too late" }
            if let missing = (next..<index).first(where: { !mayBeMissing($0) }) {
                return "acknowledged event \(missing + 1) is missing"
            }
            guard event.encoding == stored[index].encoding else { return "event \(event.sequence) is another one" }
            if isAny(of: gone, index) { return "event \(event.sequence) of an erased user is there" }
            let visibility = visibility(stored[index].family)
            let isHidden = visibility.erases(user: Array(stored[index].user.utf8), sequence: event.sequence)
            if isHidden != isAny(of: erased, index) {
                return "event \(event.sequence) of \(stored[index].user) is \(isHidden ? "hidden" : "shown")"
            }
            next = index + 1
        }
        return (next..<max(next, end)).first { !mayBeMissing($0) }.map {
            "acknowledged event \($0 + 1) is missing at the end"
        }
    }

    func mayBeMissing(_ index: Int) -> Bool {
        let event = stored[index]
        return visibility(event.family).hides(timestamp: event.timestamp, arrival: event.arrival)
            || isForgotten(index)
    }

    /// The user is to be forgotten with this event, or was.
    func isForgotten(_ index: Int) -> Bool { isAny(of: erased, index) || isAny(of: gone, index) }

    private func isAny(of users: [(user: String, through: UInt64)], _ index: Int) -> Bool {
        users.contains { $0.user == stored[index].user && UInt64(index) < $0.through }
    }

    /// Compares what is there after a restart: everything acknowledged, then open requests, each whole and once.
    /// What is found of them counts as acknowledged from now on.
    mutating func adopt(recovered events: [(sequence: UInt64, encoding: [UInt8])]) -> String? {
        let known = events.prefix { $0.sequence <= UInt64(stored.count) }
        if let problem = difference(to: Array(known), through: stored.count) { return problem }
        let new = events[known.count...]
        for (index, event) in new.enumerated() where event.sequence != UInt64(stored.count + index) + 1 {
            return "sequence \(event.sequence) where \(stored.count + index + 1) was expected"
        }
        var rest = new.map(\.encoding)[...]
        while let first = rest.first {
            guard let found = open.firstIndex(where: { $0.encodings.first == first }) else {
                return "event \(stored.count + 1) was never submitted, refused, or is there twice"
            }
            let request = open.remove(at: found)
            guard rest.starts(with: request.encodings) else {
                return "a request at sequence \(stored.count + 1) is there in part"
            }
            rest = rest.dropFirst(request.encodings.count)
            if let problem = acknowledge(request, first: UInt64(stored.count) + 1) { return problem }
        }
        // What is not there now never comes back: it may be submitted again.
        refused.append(contentsOf: open)
        open.removeAll()
        return nil
    }
}
