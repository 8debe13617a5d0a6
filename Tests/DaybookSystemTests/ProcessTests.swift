import DaybookSystem
import DaybookTestSupport
import Foundation
import Testing

struct ProcessTests {
    @Test func theProcessKnowsWhatItUses() throws {
        let statistics = try ProcessStatistics.current()
        #expect(statistics.anonymousByteCount > 0)
        #expect(statistics.residentByteCount >= statistics.anonymousByteCount)
        #expect(statistics.threadCount >= 1)
        #expect(statistics.openDescriptorCount >= 3)
        let same = try ProcessStatistics.of(processID: ProcessEnvironment.processID)
        #expect(same.processorMicroseconds >= statistics.processorMicroseconds)
    }

    @Test func memoryThatIsTouchedCounts() throws {
        // Other tests of this process may let go of as much meanwhile, but not again and again.
        var isCounted = false
        for _ in 0..<50 where !isCounted {
            let before = try ProcessStatistics.current().anonymousByteCount
            let bytes = [UInt8](repeating: 1, count: 64 << 20)
            let after = try ProcessStatistics.current().anonymousByteCount
            isCounted = after > before + 32 << 20 && bytes.last == 1
        }
        #expect(isCounted)
    }

    @Test func aMissingProcessHasNoStatistics() throws {
        #expect {
            _ = try ProcessStatistics.of(processID: .max)
        } throws: { ($0 as? DiskError)?.kind == .notFound }
    }

    @Test func theMachineHasPagesAndDescriptors() throws {
        #expect(ProcessEnvironment.pageByteCount >= 4_096)
        #expect(ProcessEnvironment.memoryByteCount > 1 << 28)
        #expect(try ProcessEnvironment.raiseDescriptorLimit() >= 256)
    }

    @Test func theAllocatorTakesItsThreshold() {
        #expect(ProcessEnvironment.returnLargeBlocks())
    }

    @Test func theEnvironmentIsReadable() throws {
        let variables = ProcessEnvironment.variables
        #expect(variables["PATH"] != nil)
        #expect(variables["PATH"] == ProcessEnvironment.variable("PATH"))
        #expect(ProcessEnvironment.variable("DAYBOOK_NO_SUCH_VARIABLE") == nil)
        #expect(try ProcessEnvironment.executablePath().hasPrefix("/"))
    }
}

struct ChildProcessTests {
    @Test func aChildReportsItsExitStatus() throws {
        let child = try ChildProcess.start("/bin/sh", ["-c", "exit 7"])
        #expect(child.wait() == .exited(7))
        #expect(child.wait() == .exited(7))
        #expect(child.statusIfEnded() == .exited(7))
    }

    @Test func aChildCanBeKilled() throws {
        let child = try ChildProcess.start("/bin/sleep", ["1000"])
        #expect(child.statusIfEnded() == nil)
        child.send(.kill)
        #expect(child.wait() == .killed(signal: 9))
        child.send(.kill)
    }

    @Test func aStoppedChildHasNotEnded() throws {
        let child = try ChildProcess.start("/bin/sleep", ["1000"])
        child.send(.stop)
        #expect(child.statusIfEnded() == nil)
        child.send(.terminate)
        child.send(.resume)
        #expect(child.wait() == .killed(signal: 15))
    }

    @Test func argumentsAndVariablesArrive() throws {
        let child = try ChildProcess.start(
            "/bin/sh", ["-c", "echo \"$1-$COLOUR\"; echo error >&2", "sh", "a b"], environment: ["COLOUR": "blue"],
            output: .pipe, error: .pipe)
        #expect(String(decoding: try child.readOutputToEnd(), as: UTF8.self) == "a b-blue\nerror\n")
        #expect(child.wait() == .exited(0))
    }

    @Test func outputGoesToAFile() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/out"
        for word in ["one", "two"] {
            let child = try ChildProcess.start("/bin/echo", [word], output: .file(path), error: .discard)
            #expect(child.wait() == .exited(0))
        }
        #expect(try HostFile.read(path, byteCountMax: 100) == Array("one\ntwo\n".utf8))
    }

    @Test func aMissingProgramIsAnError() throws {
        #expect {
            _ = try ChildProcess.start("/no/such/program", [])
        } throws: { ($0 as? DiskError)?.kind == .notFound }
    }

    @Test func aChildInheritsNoDescriptor() throws {
        let directory = try TemporaryDirectory()
        let disk = try PosixDisk(root: directory.path)
        let file = try disk.open("a", .create)
        let listener = try StreamListener(.unix(path: directory.path + "/socket"))
        let child = try ChildProcess.start("/bin/ls", ["/proc/self/fd"], output: .pipe, error: .discard)
        let numbers = String(decoding: try child.readOutputToEnd(), as: UTF8.self).split(separator: "\n")
        #expect(child.wait() == .exited(0))
        // The three streams, and the directory that `ls` reads; whoever started the tests may have left more open.
        let own = try ProcessStatistics.current().openDescriptorCount
        #expect(numbers.count < own)
        file.close()
        listener.close()
    }

    @Test func readingAnEndlessFileHasALimit() throws {
        #expect {
            _ = try HostFile.read("/dev/zero", byteCountMax: 1 << 20)
        } throws: { ($0 as? DiskError)?.kind == .noSpace }
    }

    @Test func aFileTellsWhoMayTouchItAlsoThroughALink() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/file"
        try HostFile.write(path, ([1] as [UInt8]).span.bytes)
        #expect(try HostFile.permissions(path) == 0o600)
        try FileManager.default.createSymbolicLink(atPath: path + "-link", withDestinationPath: path)
        #expect(try HostFile.permissions(path + "-link") == 0o600)
        #expect {
            _ = try HostFile.permissions(path + "-none")
        } throws: { ($0 as? DiskError)?.kind == .notFound }
    }
}
