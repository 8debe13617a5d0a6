import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import DaybookServer

@Suite(.timeLimit(.minutes(15))) struct LoopBellTests {
    /// What the loop ran, in order. The end is told once the bell was heard so often.
    private final class Heard: Sendable {
        private struct State {
            var names: [String] = []
            var ringsLeft: Int
        }

        private let state: Mutex<State>
        private let end: EventLoopPromise<Void>

        init(ringCount: Int, end: EventLoopPromise<Void>) {
            state = Mutex(State(ringsLeft: ringCount))
            self.end = end
        }

        var names: [String] { state.withLock { $0.names } }

        func note(_ name: String) { state.withLock { $0.names.append(name) } }

        func ring() {
            note("bell")
            let isLast = state.withLock {
                $0.ringsLeft -= 1
                return $0.ringsLeft == 0
            }
            if isLast { end.succeed() }
        }
    }

    private func names(
        ringCount: Int, _ body: @escaping @Sendable (LoopBell, any EventLoop, Heard) -> Void
    ) async throws -> [String] {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let eventLoop = group.next()
        let end = eventLoop.makePromise(of: Void.self)
        let heard = Heard(ringCount: ringCount, end: end)
        let bell = try await eventLoop.flatSubmit {
            let bell = LoopBell()
            let bound = NIOLoopBound(bell, eventLoop: eventLoop)
            return bell.hang(in: eventLoop) { heard.ring() }.map { bound }
        }.get()
        eventLoop.execute { body(bell.value, eventLoop, heard) }
        try await end.futureResult.get()
        // What else there may be would be heard before this.
        try await eventLoop.scheduleTask(in: .milliseconds(20)) {}.futureResult.get()
        try await group.shutdownGracefully()
        return heard.names
    }

    @Test func itIsHeardAfterAllTasksThatAreReady() async throws {
        let names = try await names(ringCount: 1) { bell, eventLoop, heard in
            bell.ring()
            eventLoop.execute {
                heard.note("task")
                eventLoop.execute { heard.note("task of the task") }
            }
        }
        #expect(names == ["task", "task of the task", "bell"])
    }

    @Test func severalRingsAreHeardOnceAndLaterOnesAgain() async throws {
        let names = try await names(ringCount: 2) { bell, eventLoop, heard in
            let bound = NIOLoopBound(bell, eventLoop: eventLoop)
            bell.ring()
            bell.ring()
            eventLoop.scheduleTask(in: .milliseconds(20)) {
                heard.note("later")
                bound.value.ring()
            }
        }
        #expect(names == ["bell", "later", "bell"])
    }
}
