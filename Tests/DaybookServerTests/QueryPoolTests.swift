import DaybookFormat
import DaybookSystem
import DaybookTestSupport
import Synchronization
import Testing

@testable import DaybookServer

/// The threads behind the queue. A job that blocks waits for its test, never for a clock.
@Suite(.timeLimit(.minutes(15))) struct QueryPoolTests {
    private static let flood = WorkOwner.questions(of: LogID(10))
    private static let quiet = WorkOwner.questions(of: LogID(11))

    private func with(threads: Int, _ body: (QueryPool) async -> Void) async {
        let pool = QueryPool(threadCount: threads, clock: SystemClock())
        pool.start()
        await body(pool)
        await onThread { pool.stop() }
    }

    /// Holds a thread until it is let go.
    private final class Blocker: Sendable {
        private let begun = Wakeup()
        private let goesOn = Wakeup()

        func block() {
            begun.signal()
            goesOn.wait()
        }

        func hasBegun() async { await onThread { self.begun.wait() } }
        func letGo() { goesOn.signal() }
    }

    private func block(_ pool: QueryPool, of owner: WorkOwner) async -> Blocker {
        let blocker = Blocker()
        pool.submit(of: owner) {
            Issue.record("a free thread was refused")
        } _: {
            blocker.block()
        }
        await blocker.hasBegun()
        return blocker
    }

    private func answer(_ pool: QueryPool, of owner: WorkOwner) async -> Bool {
        await withCheckedContinuation { continuation in
            pool.submit(of: owner) {
                continuation.resume(returning: false)
            } _: {
                continuation.resume(returning: true)
            }
        }
    }

    @Test func aFloodOnAllThreadsKeepsNobodyElseWaiting() async {
        await with(threads: 2) { pool in
            let blockers = [await block(pool, of: Self.flood), await block(pool, of: Self.flood)]
            for _ in 0..<20 { pool.submit(of: Self.flood) {} }
            #expect(await answer(pool, of: Self.quiet))
            #expect(await answer(pool, of: .administration(of: Self.flood.organization)))
            #expect(pool.status.waitingQuestionCount == 20)
            for blocker in blockers { blocker.letGo() }
        }
    }

    @Test func tooManyAreRefusedAndCounted() async {
        await with(threads: 1) { pool in
            let blocker = await block(pool, of: Self.flood)
            let refused = Atomic<Int>(0)
            var tickets: [QueryPool.Ticket?] = []
            for _ in 0..<66 {
                tickets.append(
                    pool.submit(of: Self.flood) {
                        refused.add(1, ordering: .relaxed)
                    } _: {
                    })
            }
            #expect(tickets.count { $0 == nil } == 2)
            #expect(refused.load(ordering: .relaxed) == 2)
            #expect(pool.status.refusedCount == 2)
            if let ticket = tickets[0] { pool.takeBack(ticket) }
            #expect(pool.submit(of: Self.flood) {} != nil)
            blocker.letGo()
        }
    }

    @Test func whatIsTakenBackIsLetGoOf() async {
        await with(threads: 1) { pool in
            let blocker = await block(pool, of: Self.flood)
            let isGone = Flag()
            await onThread {
                if let ticket = self.submit(Held { isGone.set() }, to: pool) { pool.takeBack(ticket) }
            }
            #expect(isGone.isSet)
            blocker.letGo()
        }
    }

    private final class Flag: Sendable {
        private let value = Atomic<Bool>(false)
        var isSet: Bool { value.load(ordering: .relaxed) }
        func set() { value.store(true, ordering: .relaxed) }
    }

    /// Something large that a question brings along.
    private final class Held: Sendable {
        private let onEnd: @Sendable () -> Void
        init(_ onEnd: @escaping @Sendable () -> Void) { self.onEnd = onEnd }
        func use() { Issue.record("it was taken back") }
        deinit { onEnd() }
    }

    private func submit(_ held: Held, to pool: QueryPool) -> QueryPool.Ticket? {
        pool.submit(of: Self.flood) { held.use() }
    }

    @Test func partsOfAJobThatIsOverAreNotKeptForLater() async {
        await with(threads: 2) { pool in
            let blockers = [await block(pool, of: Self.flood), await block(pool, of: Self.flood)]
            let count = Atomic<Int>(0)
            await onThread {
                pool.executor(for: Self.flood.organization).run(3) { _ in count.add(1, ordering: .relaxed) }
            }
            #expect(count.load(ordering: .relaxed) == 3)
            for blocker in blockers { blocker.letGo() }
            #expect(await answer(pool, of: Self.flood))
        }
    }

    /// The niceness of the thread that runs a job of the owner.
    private func niceness(_ pool: QueryPool, of owner: WorkOwner) async -> Int? {
        let stat = await withCheckedContinuation { continuation in
            pool.submit(of: owner) {
                continuation.resume(returning: [UInt8]())
            } _: {
                continuation.resume(
                    returning: (try? HostFile.read("/proc/thread-self/stat", byteCountMax: 1_000)) ?? [])
            }
        }
        let fields = stat.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
        return fields.dropFirst(18).first.flatMap { Int($0) }
    }

    @Test func longWorkRunsOnThreadsThatYieldToTheOthers() async {
        await with(threads: 1) { pool in
            for _ in 0..<20 {
                #expect(await niceness(pool, of: Self.quiet) == 0)
                #expect(await niceness(pool, of: .bodies(of: Self.quiet.organization)) == 5)
            }
        }
    }

    @Test func workOfBothKindsGoesOnUntilItIsDone() async {
        let pool = QueryPool(threadCount: 2, clock: SystemClock())
        let done = Atomic<Int>(0)
        pool.start()
        for job in 0..<400 {
            let organization = LogID(UInt64(10 + job % 7))
            let owner = job % 2 == 0 ? WorkOwner.bodies(of: organization) : .questions(of: organization)
            pool.submit(of: owner) {
                done.add(1, ordering: .relaxed)
            } _: {
                done.add(1, ordering: .relaxed)
            }
        }
        await onThread { pool.stop() }
        #expect(done.load(ordering: .relaxed) == 400)
    }

    @Test func stoppingFinishesWhatWaits() async {
        let pool = QueryPool(threadCount: 1, clock: SystemClock())
        pool.start()
        let blocker = await block(pool, of: Self.flood)
        let done = Mutex(0)
        for _ in 0..<10 { pool.submit(of: Self.flood) { done.withLock { $0 += 1 } } }
        async let stopped: Void = onThread { pool.stop() }
        blocker.letGo()
        await stopped
        #expect(done.withLock { $0 } == 10)
        #expect(pool.submit(of: Self.flood) {} == nil)
    }
}
