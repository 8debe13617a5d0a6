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

    @Test(arguments: [SystemThread.TimeSlice.usual, .short]) func aTimeSliceLeavesNicenessAlone(
        _ slice: SystemThread.TimeSlice
    ) throws {
        let box = Box<[UInt8]>([])
        let isSet = Box(false)
        SystemThread.start(name: "slice", niceness: 7, slice: slice) {
            isSet.set(SystemThread.setTimeSlice(slice))
            box.set((try? HostFile.read("/proc/thread-self/stat", byteCountMax: 1_000)) ?? [])
        }.join()
        let fields = box.current.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
        #expect(isSet.current)
        #expect(fields.dropFirst(18).first == "7")
    }

    @Test func theTimeOnAProcessorDoesNotGrowWhileAThreadSleeps() {
        let slept = Box<UInt64>(.max)
        let worked = Box<UInt64>(0)
        SystemThread.start(name: "time") {
            let started = SystemThread.processorNanoseconds()
            _ = Wakeup().wait(microseconds: 200_000)
            slept.set(SystemThread.processorNanoseconds() - started)
            while SystemThread.processorNanoseconds() - started < 1_000_000 + slept.current {}
            worked.set(SystemThread.processorNanoseconds() - started)
        }.join()
        #expect(slept.current < 100_000_000)
        #expect(worked.current >= 1_000_000)
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
