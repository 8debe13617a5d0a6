import DaybookFormat
import DaybookSystem

/// What goes wrong on a simulated disk. Counts start at 1 and count the calls of their kind; nil is never.
package struct FaultPlan: Sendable, Equatable {
    /// The power fails in this call that changes something. It has taken effect, partly or not at all.
    package var crashAtChange: Int?
    /// Any of the three kinds of synchronization.
    package var failSynchronize: Int?
    /// A prefix of the bytes may have been written.
    package var failWrite: Int?
    /// Reading bytes or mapping a file; opening it is not counted.
    package var failRead: Int?
    /// Every write to a file whose path ends so, until `failWrites` says otherwise.
    package var failWritesOf: String?
    /// Any call at all, those that only ask included.
    package var failCall: Int?
    /// The power fails in this call, whatever it is.
    package var crashAtCall: Int?
    /// From this write on the disk is full: files cannot grow until others are removed or cut.
    package var fillAtWrite: Int?
    /// Bytes that all files together may take.
    package var capacityByteCount: Int?
    /// A disk that lies: synchronization reports success and does nothing. Tests must notice it.
    package var ignoresSynchronize = false
    /// The same for files whose path ends so.
    package var skipsSynchronizeOf: String?
    /// Truncation reports success and does nothing. Tests must notice this, too.
    package var ignoresTruncation = false

    package init() {}

    /// The power fails at one of the first `changeCount` changes.
    package static func powerLoss(seed: UInt64, within changeCount: Int) -> FaultPlan {
        var random = SeededRandom(seed: seed)
        var plan = FaultPlan()
        plan.crashAtChange = 1 + random.below(changeCount)
        return plan
    }

    /// One fault of any kind within the first `changeCount` changes, and a power loss in every second plan.
    package static func anything(seed: UInt64, within changeCount: Int) -> FaultPlan {
        var random = SeededRandom(seed: seed)
        var plan = FaultPlan()
        let moment = 1 + random.below(changeCount)
        switch random.below(5) {
        case 0: plan.failSynchronize = moment
        case 1: plan.failWrite = moment
        case 2: plan.failRead = moment
        case 3: plan.fillAtWrite = moment
        default: break
        }
        if random.oneIn(2) { plan.crashAtChange = 1 + random.below(changeCount) }
        return plan
    }
}

/// Counts what was asked of a simulated disk, and folds it into one number: two runs that agree in it have made the
/// same calls with the same bytes in the same order.
struct SimulatedTrace: Sendable {
    private(set) var callCount = 0
    private(set) var changeCount = 0
    private(set) var writeCount = 0
    private(set) var readCount = 0
    private(set) var readByteCount: UInt64 = 0
    private(set) var synchronizeCount = 0
    private(set) var fingerprint: UInt64 = 0xCBF2_9CE4_8422_2325
    private(set) var lines: [String] = []
    var keepsLines = false

    mutating func note(_ operation: SimulatedOperation, _ path: String, _ details: [UInt64] = [], bytes: [UInt8] = []) {
        callCount += 1
        switch operation.kind {
        case .question: break
        case .read:
            readCount += 1
            if operation == .read { readByteCount += details.last ?? 0 }
        case .write:
            writeCount += 1
            changeCount += 1
        case .synchronize:
            synchronizeCount += 1
            changeCount += 1
        case .change: changeCount += 1
        }
        fold(UInt64(crc32c(Array((operation.rawValue + " " + path).utf8))))
        for detail in details { fold(detail) }
        if !bytes.isEmpty { fold(UInt64(crc32c(bytes))) }
        if keepsLines {
            lines.append(([operation.rawValue, path] + details.map { "\($0)" }).joined(separator: " "))
        }
    }

    private mutating func fold(_ value: UInt64) {
        fingerprint = (fingerprint ^ value) &* 0x0000_0100_0000_01B3
        fingerprint ^= fingerprint >> 29
    }
}

enum SimulatedOperation: String {
    case open, list, exists, length, read, map
    case create, createDirectory, rename, remove, removeDirectory, truncate, write
    case synchronize, synchronizeDirectory, synchronizeAll

    enum Kind { case question, read, write, synchronize, change }

    var kind: Kind {
        switch self {
        case .open, .list, .exists, .length: .question
        case .read, .map: .read
        case .write: .write
        case .synchronize, .synchronizeDirectory, .synchronizeAll: .synchronize
        case .create, .createDirectory, .rename, .remove, .removeDirectory, .truncate: .change
        }
    }
}
