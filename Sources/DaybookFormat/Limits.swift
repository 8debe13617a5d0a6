/// Every bound of the store in one place. `check()` runs at start and proves that they agree with each other.
package enum Limits {
    // Requests
    package static let bodyByteCountMax = 10 << 20
    package static let batchEventCountMax = 1_000
    package static let ingestBudgetByteCount = 16 << 20
    /// Of one organization: the rest is for the others.
    package static let ingestBudgetByteCountOfOrganization = 14 << 20
    package static let listedFieldErrorCountMax = 100

    // Events (requirements.md section 2)
    package static let executionTimeMillisecondsMax = 3_600_000
    package static let nameByteCountMax = 255
    package static let userByteCountMax = 128
    package static let sessionByteCountMax = 128
    package static let identifierByteCountMax = 64
    package static let unitByteCountMax = 128
    package static let errorMessageByteCountMax = 8 << 10
    package static let objectByteCountMax = 64 << 10
    package static let objectKeyCountMax = 50
    package static let objectDepthMax = 8
    package static let objectStringByteCountMax = 8 << 10
    package static let agentsUsedCountMax = 256
    package static let futureToleranceMicroseconds: Int64 = 24 * 3_600 * 1_000_000
    package static let idempotencyKeyByteCountMax = 128
    package static let idempotencyWindowMicroseconds: Int64 = 24 * 3_600 * 1_000_000
    package static let sessionIdleMicroseconds: Int64 = 30 * 60 * 1_000_000

    // Memory
    /// Anonymous memory of a server at full load. The budgets of the store are checked against it at start.
    package static let memoryByteCountMax = 64 << 20
    /// What one sealing holds: the rows of a row group and its scratch memory.
    package static let sealingByteCount = 10 << 20
    /// What is in no budget: code's data, threads, connections, keys and organizations.
    package static let processByteCount = 4 << 20

    // Retention
    package static let dayMicroseconds: Int64 = 24 * 3_600 * 1_000_000
    /// Nothing expires within this time of its arrival, however old it says it is.
    package static let retentionGraceMicroseconds: Int64 = dayMicroseconds

    // Logs
    /// The canonical form of an event is smaller than its JSON plus this much for fields that the server fills in.
    package static let eventOverheadByteCountMax = 1 << 10
    /// The largest group: one body of the largest size, every event of it with its overhead.
    package static let groupByteCountMax =
        bodyByteCountMax + batchEventCountMax * eventOverheadByteCountMax + GroupHeader.byteCountMax
    package static let commitByteCountTarget = 1 << 20
    package static let journalFileCountMin = 4

    /// Traps when two limits contradict each other.
    package static func check(journalFileByteCount: Int, logFileByteCount: Int) {
        precondition(
            JournalFrame.byteCount(payloadByteCount: groupByteCountMax) + JournalFileHeader.byteCount
                <= journalFileByteCount)
        precondition(groupByteCountMax + LogFileHeader.byteCount <= logFileByteCount)
        precondition(journalFileByteCount <= Int(UInt32.max))
        precondition(logFileByteCount <= Int(UInt32.max))
        precondition(bodyByteCountMax <= ingestBudgetByteCountOfOrganization)
        precondition(ingestBudgetByteCountOfOrganization < ingestBudgetByteCount)
        precondition(objectStringByteCountMax <= objectByteCountMax)
    }
}
