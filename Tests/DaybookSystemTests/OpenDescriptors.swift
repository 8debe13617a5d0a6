import Foundation

/// Descriptors of this process whose files are in a directory: what other tests have open does not count.
func openDescriptors(in directory: String) throws -> [Int32] {
    let root = URL(fileURLWithPath: directory).resolvingSymlinksInPath().path + "/"
    return try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { Int32($0) }.filter {
        // One that was closed meanwhile leads nowhere.
        let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
        return path?.hasPrefix(root) == true
    }
}
