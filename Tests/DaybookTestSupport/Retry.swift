/// Does something again and again until what comes of it is as wanted, and returns that.
///
/// No tries are counted and no clock is read: both would tell of the machine, not of what is tested. What never becomes as
/// wanted ends with the time limit of its suite, which cancels the test.
/// - Throws: what `attempt` throws, at its first time; `CancellationError` when the test is cancelled.
@discardableResult
package func retry<Value>(
    _ attempt: () async throws -> Value, until isWanted: (Value) throws -> Bool
) async throws -> Value {
    while true {
        try Task.checkCancellation()
        let value = try await attempt()
        if try isWanted(value) { return value }
        await Task.yield()
    }
}
