import DaybookSystem
import DaybookTestSupport
import Foundation
import Testing

struct DirectoryLockTests {
    @Test func aHeldLockIsRefused() throws {
        let directory = try TemporaryDirectory()
        let lock = try DirectoryLock.acquire(directory: directory.path)
        #expect {
            _ = try DirectoryLock.acquire(directory: directory.path)
        } throws: { ($0 as? DiskError)?.kind == .locked }
        lock.release()
        try DirectoryLock.acquire(directory: directory.path).release()
    }

    @Test func aLockEndsWithItsObject() throws {
        let directory = try TemporaryDirectory()
        _ = try DirectoryLock.acquire(directory: directory.path)
        #expect(try !DirectoryLock.isHeld(directory: directory.path))
    }

    @Test func aCopyOfTheDescriptorDoesNotKeepAReleasedLock() throws {
        let directory = try TemporaryDirectory()
        let lock = try DirectoryLock.acquire(directory: directory.path)
        // As a child has it between its beginning and the program that it becomes.
        let copy = dup(try #require(try openDescriptors(in: directory.path).first))
        try #require(copy >= 0)
        defer { close(copy) }
        lock.release()
        #expect(try !DirectoryLock.isHeld(directory: directory.path))
        try DirectoryLock.acquire(directory: directory.path).release()
    }

    @Test func askingTakesNothing() throws {
        let directory = try TemporaryDirectory()
        #expect(try !DirectoryLock.isHeld(directory: directory.path))
        #expect(try DirectoryLock.holder(directory: directory.path) == nil)
        let lock = try DirectoryLock.acquire(directory: directory.path)
        #expect(try DirectoryLock.isHeld(directory: directory.path))
        #expect(try DirectoryLock.holder(directory: directory.path) == ProcessEnvironment.processID)
        lock.release()
        #expect(try !DirectoryLock.isHeld(directory: directory.path))
    }

    @Test func aMissingDirectoryCannotBeLocked() throws {
        let directory = try TemporaryDirectory()
        #expect {
            _ = try DirectoryLock.acquire(directory: directory.path + "/none")
        } throws: { ($0 as? DiskError)?.kind == .notFound }
    }
}
