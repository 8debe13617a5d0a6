internal import Glibc

/// What a process uses, as the kernel counts it under `/proc`.
package struct ProcessStatistics: Sendable, Equatable {
    /// Memory that belongs to the process alone and is backed by no file: `RssAnon` and `RssShmem`, in bytes.
    package var anonymousByteCount: UInt64
    /// With the pages of mapped files, in bytes.
    package var residentByteCount: UInt64
    package var threadCount: Int
    package var openDescriptorCount: Int
    /// Processor time of all threads, in microseconds; the kernel counts it in ticks of 10,000.
    package var userMicroseconds: UInt64
    package var systemMicroseconds: UInt64

    package var processorMicroseconds: UInt64 { userMicroseconds + systemMicroseconds }

    package static func current() throws(DiskError) -> ProcessStatistics {
        try read(directory: "/proc/self")
    }

    /// Throws kind `notFound` when there is no such process, and `permission` when it is another user's.
    package static func of(processID: Int32) throws(DiskError) -> ProcessStatistics {
        try read(directory: "/proc/\(processID)")
    }

    private static func read(directory: String) throws(DiskError) -> ProcessStatistics {
        let fields = statusFields(try HostFile.read(directory + "/status", byteCountMax: 1 << 16))
        let times = processorTicks(try HostFile.read(directory + "/stat", byteCountMax: 1 << 16))
        let ticksPerSecond = UInt64(sysconf(Int32(_SC_CLK_TCK)))
        let descriptors = try PosixDisk(root: directory + "/fd").list("")
        let kibibytes: (String) -> UInt64 = { (fields[$0] ?? 0) * 1_024 }
        return ProcessStatistics(
            anonymousByteCount: kibibytes("RssAnon") + kibibytes("RssShmem"),
            residentByteCount: kibibytes("VmRSS"),
            threadCount: Int(fields["Threads"] ?? 0),
            openDescriptorCount: descriptors.count,
            userMicroseconds: times.user * 1_000_000 / ticksPerSecond,
            systemMicroseconds: times.system * 1_000_000 / ticksPerSecond)
    }

    /// The numbers of lines such as `RssAnon:      1234 kB`; lines without a number are left out.
    static func statusFields(_ text: [UInt8]) -> [String: UInt64] {
        var fields: [String: UInt64] = [:]
        for line in text.split(separator: UInt8(ascii: "\n")) {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            let digits = line[line.index(after: colon)...].drop { $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: " ") }
                .prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            if let number = UInt64(String(decoding: digits, as: UTF8.self)) {
                fields[String(decoding: line[..<colon], as: UTF8.self)] = number
            }
        }
        return fields
    }

    /// Fields 14 and 15 of `stat`. They are counted from the last parenthesis, because the second field is the name of
    /// the program in parentheses, and a name may hold blanks and parentheses itself.
    static func processorTicks(_ text: [UInt8]) -> (user: UInt64, system: UInt64) {
        guard let end = text.lastIndex(of: UInt8(ascii: ")")) else { return (0, 0) }
        let fields = text[(end + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 12 else { return (0, 0) }
        let number: (Int) -> UInt64 = { UInt64(String(decoding: fields[$0], as: UTF8.self)) ?? 0 }
        return (number(11), number(12))
    }
}
