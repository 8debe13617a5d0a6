internal import CKernel
internal import Glibc

/// What this process was given: its variables, its number, its own file, its share of the machine.
package enum ProcessEnvironment {
    /// All variables. A name that occurs twice has its first value, as `getenv` would say.
    package static var variables: [String: String] {
        var variables: [String: String] = [:]
        guard var entry = unsafe daybook_environment() else { return variables }
        while let text = unsafe entry.pointee {
            let line = unsafe String(cString: text)
            if let equals = line.firstIndex(of: "="), equals != line.startIndex {
                let name = String(line[..<equals])
                if variables[name] == nil { variables[name] = String(line[line.index(after: equals)...]) }
            }
            unsafe entry += 1
        }
        return variables
    }

    package static func variable(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    package static var processID: Int32 { getpid() }

    /// The file that this process runs, with all links followed.
    package static func executablePath() throws(DiskError) -> String {
        let link = "/proc/self/exe"
        var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = try SystemCall.run("readlink", link) {
            unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe readlink(link, buffer.baseAddress!, buffer.count)
            }
        }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    package static var pageByteCount: Int { sysconf(Int32(_SC_PAGESIZE)) }

    /// The machine's main memory, in bytes.
    package static var memoryByteCount: UInt64 {
        UInt64(max(0, sysconf(Int32(_SC_PHYS_PAGES)))) * UInt64(pageByteCount)
    }

    /// Makes blocks of at least 512 KiB go back to the system as soon as they are freed. By itself the allocator keeps
    /// ever larger ones, and what columns and row groups leave between them is lost: 75 MiB where 35 are in use.
    /// Smaller ones, the bodies and group records of batches, are used again without the system's help: mapping them
    /// anew each time took a seventh of the event loop's time. Call it before the first large block. False when the allocator does not take it.
    @discardableResult
    package static func returnLargeBlocks() -> Bool { daybook_map_large_blocks(512 << 10, 2 << 20) == 1 }

    /// Raises the limit of open descriptors as far as this process may. Returns the limit that now holds.
    @discardableResult
    package static func raiseDescriptorLimit() throws(DiskError) -> Int {
        Int(try SystemCall.run("setrlimit", "") { daybook_raise_descriptor_limit() })
    }
}
