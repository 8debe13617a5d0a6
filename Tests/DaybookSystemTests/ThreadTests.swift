import DaybookSystem
import Synchronization
import Testing

private final class Box<Value: Sendable>: Sendable {
    private let value: Mutex<Value>
    init(_ value: Value) { self.value = Mutex(value) }
    var current: Value { value.withLock { $0 } }
    func set(_ new: Value) { value.withLock { $0 = new } }
}

struct ThreadTests {
    @Test func joiningWaitsForTheBody() {
        let box = Box(0)
        let thread = SystemThread.start(name: "test") { box.set(42) }
        thread.join()
        thread.join()
        #expect(box.current == 42)
    }

    @Test func aThreadCarriesItsName() throws {
        let box = Box<[UInt8]>([])
        SystemThread.start(name: "committer of the store", niceness: 5) {
            box.set((try? HostFile.read("/proc/thread-self/comm", byteCountMax: 100)) ?? [])
        }.join()
        #expect(String(decoding: box.current, as: UTF8.self) == "committer of th\n")
    }

    @Test func nicenessStaysWithItsThread() throws {
        let box = Box<[UInt8]>([])
        SystemThread.start(name: "nice", niceness: 7) {
            box.set((try? HostFile.read("/proc/thread-self/stat", byteCountMax: 1_000)) ?? [])
        }.join()
        let fields = box.current.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
        #expect(fields.dropFirst(18).first == "7")
    }

    @Test func aThreadNeedsNoJoin() {
        let wakeup = Wakeup()
        _ = SystemThread.start(name: "loose") { wakeup.signal() }
        wakeup.wait()
    }
}

struct WakeupTests {
    @Test func aSignalBeforeTheWaitIsKept() {
        let wakeup = Wakeup()
        wakeup.signal()
        wakeup.wait()
    }

    @Test func signalsAreNotCounted() {
        let wakeup = Wakeup()
        for _ in 0..<5 { wakeup.signal() }
        #expect(wakeup.wait(microseconds: 0))
        #expect(!wakeup.wait(microseconds: 0))
    }

    @Test func aWaitWithoutASignalEnds() {
        #expect(!Wakeup().wait(microseconds: 1_000))
    }

    @Test func theLongestWaitCanBeInterrupted() {
        let wakeup = Wakeup()
        let thread = SystemThread.start(name: "signal") { wakeup.signal() }
        #expect(wakeup.wait(microseconds: .max))
        thread.join()
    }

    @Test func noSignalIsLostBetweenTwoThreads() {
        // Each side waits for the other: a lost signal would hang both.
        let ping = Wakeup()
        let pong = Wakeup()
        let rounds = 20_000
        let thread = SystemThread.start(name: "pong") {
            for _ in 0..<rounds {
                ping.wait()
                pong.signal()
            }
        }
        for round in 0..<rounds {
            ping.signal()
            if round.isMultiple(of: 2) { pong.wait() } else { while !pong.wait(microseconds: 50) {} }
        }
        thread.join()
    }
}
