package import DaybookSystem

/// Reads what the kernel says about another process. The figures are those of `/proc`, which only Linux has.
package struct ServerProcess: Sendable {
    private let disk: any Disk
    private static let nanosecondsPerTick: UInt64 = 10_000_000

    /// - Parameter disk: rooted at `/proc/<process id>`.
    package init(disk: any Disk) { self.disk = disk }

    /// User and system time of all threads, those that ended included. In steps of 10 ms.
    package func cpuNanoseconds() throws -> UInt64 {
        let text = try contents("stat")
        // The second field is the program's name in brackets and may hold blanks; the rest are numbers.
        guard let bracket = text.lastIndex(of: ")") else { throw ServerProcessError.unreadable("stat") }
        let fields = text[text.index(after: bracket)...].split(separator: " ")
        guard fields.count > 12, let user = UInt64(fields[11]), let system = UInt64(fields[12]) else {
            throw ServerProcessError.unreadable("stat")
        }
        return (user + system) * Self.nanosecondsPerTick
    }

    /// Memory that no file stands behind, in bytes.
    package func anonymousMemoryByteCount() throws -> UInt64 {
        for line in try contents("status").split(separator: "\n") where line.hasPrefix("RssAnon:") {
            let digits = line.filter { $0 >= "0" && $0 <= "9" }
            guard let kibibytes = UInt64(digits) else { break }
            return kibibytes << 10
        }
        throw ServerProcessError.unreadable("status")
    }

    private func contents(_ name: String) throws -> String {
        let file = try disk.open(name, .read)
        defer { file.close() }
        var bytes: [UInt8] = []
        try file.read(16 << 10, at: 0, appendingTo: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

package enum ServerProcessError: Error, CustomStringConvertible {
    case unreadable(String)

    package var description: String {
        switch self {
        case .unreadable(let name): "/proc/<pid>/\(name) does not have the expected form"
        }
    }
}
