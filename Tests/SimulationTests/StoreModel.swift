import DaybookFormat

/// What the outside knows of one log: the ledger that the store is held against.
struct LogModel {
    struct Request: Equatable {
        var encodings: [[UInt8]]
        var families: [Family]
        var key: UInt64?
    }

    /// Acknowledged events by sequence; dense from 1.
    var stored: [[UInt8]] = []
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
        stored.append(contentsOf: request.encodings)
        answered.append((request, first))
        return nil
    }

    /// Compares what a reader sees while the store runs: exactly what was acknowledged.
    func difference(toVisible events: [(sequence: UInt64, encoding: [UInt8])]) -> String? {
        guard events.count == stored.count else {
            return "\(events.count) events visible, \(stored.count) acknowledged"
        }
        for (index, event) in events.enumerated() {
            guard event.sequence == UInt64(index) + 1 else { return "sequence \(event.sequence) at place \(index + 1)" }
            guard event.encoding == stored[index] else { return "event \(event.sequence) is another one" }
        }
        return nil
    }

    /// Compares what is there after a restart: everything acknowledged, then open requests, each whole and once.
    /// What is found of them counts as acknowledged from now on.
    mutating func adopt(recovered events: [(sequence: UInt64, encoding: [UInt8])]) -> String? {
        guard events.count >= stored.count else { return "\(events.count) events left of \(stored.count) acknowledged" }
        for (index, event) in events.enumerated() where event.sequence != UInt64(index) + 1 {
            return "sequence \(event.sequence) at place \(index + 1)"
        }
        for index in stored.indices where events[index].encoding != stored[index] {
            return "acknowledged event \(index + 1) is another one"
        }
        var next = stored.count
        while next < events.count {
            guard let found = open.firstIndex(where: { $0.encodings.first == events[next].encoding }) else {
                return "event \(next + 1) was never submitted, refused, or is there twice"
            }
            let request = open.remove(at: found)
            let end = next + request.encodings.count
            guard end <= events.count, events[next..<end].map(\.encoding) == request.encodings else {
                return "a request at sequence \(next + 1) is there in part"
            }
            if let problem = acknowledge(request, first: UInt64(next) + 1) { return problem }
            next = end
        }
        // What is not there now never comes back: it may be submitted again.
        refused.append(contentsOf: open)
        open.removeAll()
        return nil
    }
}
