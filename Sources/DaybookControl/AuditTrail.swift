internal import DaybookFormat
package import DaybookStore
package import DaybookSystem
import Synchronization

/// Where a request comes from, for the audit trail.
package struct RequestOrigin: Sendable {
    /// Nil for whoever may open the data directory: they may do everything.
    package var credential: Credential?
    /// Method and path, `{}` for what a client chooses.
    package var route: String
    package var requestID: String
    package var address: String

    package static let local = RequestOrigin(credential: nil, route: "", requestID: "", address: "")

    package init(credential: Credential?, route: String, requestID: String, address: String) {
        self.credential = credential
        self.route = route
        self.requestID = Self.isUUID(requestID) ? requestID : ""
        self.address = address
    }

    /// A request id that the client made up may be anything, the name of a user included.
    private static func isUUID(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count == 36 else { return false }
        return bytes.enumerated().allSatisfy { position, byte in
            switch (position, byte) {
            case (8, UInt8(ascii: "-")), (13, UInt8(ascii: "-")), (18, UInt8(ascii: "-")), (23, UInt8(ascii: "-")): true
            case (8, _), (13, _), (18, _), (23, _): false
            case (_, UInt8(ascii: "0")...UInt8(ascii: "9")), (_, UInt8(ascii: "a")...UInt8(ascii: "f")),
                (_, UInt8(ascii: "A")...UInt8(ascii: "F")):
                true
            default: false
            }
        }
    }

    func record(
        _ action: String, _ target: String = "", in organization: OrganizationID?, at now: Timestamp,
        _ outcome: AuditRecord.Outcome = .done
    ) -> AuditRecord {
        AuditRecord(
            at: now, organization: organization, actor: credential?.actor ?? .local, action: action,
            target: target, route: route, requestID: requestID, address: address, outcome: outcome)
    }
}

/// Gathers what is written to the control log on the side: denied accesses, and when keys were used last. Event loops only
/// leave it here; `flush` runs on a thread that may wait for the disk.
///
/// No client can fill the disk with denials: of each key a few are written one by one, and then one in ten minutes, which
/// says how many it stands for; and all keys together have a bound like that.
package final class AuditTrail: Sendable {
    /// So many at once, and then one in each interval.
    struct Bound {
        var burst: Int64
        var intervalMicroseconds: Int64
    }

    static let boundOfKey = Bound(burst: 10, intervalMicroseconds: 600_000_000)
    static let boundOfStore = Bound(burst: 1_000, intervalMicroseconds: 1_000_000)
    /// Key uses are looked through at most this often.
    private static let useIntervalMicroseconds: Int64 = 60_000_000
    private static let actsOfGroupMax = 100

    private struct Bucket {
        /// Microseconds: one for each interval that may be written for.
        private var credit: Int64
        private var filledAt: Int64

        init(_ bound: Bound, at now: Timestamp) {
            credit = bound.burst * bound.intervalMicroseconds
            filledAt = now.microseconds
        }

        mutating func take(_ bound: Bound, at now: Timestamp) -> Bool {
            fill(bound, at: now)
            guard credit >= bound.intervalMicroseconds else { return false }
            credit -= bound.intervalMicroseconds
            return true
        }

        mutating func fill(_ bound: Bound, at now: Timestamp) {
            let full = bound.burst * bound.intervalMicroseconds
            // A clock that is set back gives nothing; one that jumps gives no more than there can be.
            let (elapsed, overflow) = now.microseconds.subtractingReportingOverflow(filledAt)
            if !overflow, elapsed > 0 { credit = min(full, credit + min(elapsed, full)) }
            filledAt = now.microseconds
        }

        func isFull(_ bound: Bound) -> Bool { credit == bound.burst * bound.intervalMicroseconds }
    }

    /// Of one key.
    private struct Denials {
        var bucket: Bucket
        /// The last one that was not written, with how many there were of its kind and others.
        var suppressed: AuditRecord?
    }

    private struct State {
        var denials: [String: Denials] = [:]
        var ofStore: Bucket?
        var pending: [AuditRecord] = []
        var usesWrittenAt: Timestamp?
    }

    private let store: Store
    private let registry: KeyRegistry
    private let clock: any Clock
    private let state = Mutex(State())
    /// One flush at a time, so that pages read after one have what was noted before it.
    private let flushing = Mutex(())

    package init(store: Store, registry: KeyRegistry, clock: any Clock) {
        self.store = store
        self.registry = registry
        self.clock = clock
    }

    private var now: Timestamp { Timestamp(microseconds: clock.wallMicroseconds()) }

    /// Notes that somebody who is known was refused. Never blocks on the disk.
    /// Precondition: `origin` has a credential.
    package func noteDenial(_ origin: RequestOrigin, _ outcome: AuditRecord.Outcome, target: String = "") {
        guard let credential = origin.credential else { preconditionFailure("a denial of nobody") }
        let now = now
        let record = origin.record("access", target, in: credential.organization.id, at: now, outcome)
        state.withLock { state in
            var denials = state.denials[credential.id] ?? Denials(bucket: Bucket(Self.boundOfKey, at: now))
            let count = denials.suppressed?.count ?? 0
            var counted = record
            counted.count = count == .max ? count : count + 1
            if Self.mayWrite(&denials, &state.ofStore, at: now) {
                denials.suppressed = nil
                state.pending.append(counted)
            } else {
                denials.suppressed = counted
            }
            state.denials[credential.id] = denials
        }
    }

    private static func mayWrite(_ denials: inout Denials, _ ofStore: inout Bucket?, at now: Timestamp) -> Bool {
        guard denials.bucket.take(boundOfKey, at: now) else { return false }
        var bucket = ofStore ?? Bucket(boundOfStore, at: now)
        defer { ofStore = bucket }
        return bucket.take(boundOfStore, at: now)
    }

    /// Writes what was gathered, if there is something to write. Blocks until it is durable.
    /// - Parameter isLast: the process is about to end: what would have waited is written, too.
    /// - Throws: what the store throws; then it is tried again the next time.
    package func flush(isLast: Bool = false) throws {
        try flushing.withLock { _ in
            let now = now
            var records = takePending(at: now, isLast: isLast)[...]
            do {
                while !records.isEmpty {
                    try store.appendControl(records.prefix(Self.actsOfGroupMax).map { .audited($0) })
                    records = records.dropFirst(Self.actsOfGroupMax)
                }
            } catch {
                putBack(records)
                throw error
            }
            try writeUses(at: now, isLast: isLast)
        }
    }

    private func takePending(at now: Timestamp, isLast: Bool) -> [AuditRecord] {
        state.withLock { state in
            for (keyID, known) in state.denials {
                var denials = known
                denials.bucket.fill(Self.boundOfKey, at: now)
                if let suppressed = denials.suppressed, isLast || Self.mayWrite(&denials, &state.ofStore, at: now) {
                    state.pending.append(suppressed)
                    denials.suppressed = nil
                }
                let isQuiet = denials.suppressed == nil && denials.bucket.isFull(Self.boundOfKey)
                state.denials[keyID] = isQuiet ? nil : denials
            }
            defer { state.pending = [] }
            return state.pending
        }
    }

    /// What could not be written is tried again, the oldest first, up to the bound of the store.
    private func putBack(_ records: ArraySlice<AuditRecord>) {
        state.withLock { state in
            state.pending = Array((records + state.pending).prefix(Int(Self.boundOfStore.burst)))
        }
    }

    private func writeUses(at now: Timestamp, isLast: Bool) throws {
        let isDue = state.withLock { state in
            if let last = state.usesWrittenAt, !isLast, now >= last,
                now < last.adding(microseconds: Self.useIntervalMicroseconds)
            {
                return false
            }
            state.usesWrittenAt = now
            return true
        }
        guard isDue else { return }
        let uses = registry.unwrittenUses(all: isLast)
        for start in stride(from: 0, to: uses.count, by: Self.actsOfGroupMax) {
            let written = Array(uses[start..<min(uses.count, start + Self.actsOfGroupMax)])
            try store.appendControl([.keysUsed(written, at: now)])
            registry.noteWritten(written)
        }
    }
}
