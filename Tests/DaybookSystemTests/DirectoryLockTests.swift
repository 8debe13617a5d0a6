import DaybookSystem
import DaybookTestSupport
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
