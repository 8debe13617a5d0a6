internal import CKernel

/// Both ends of a pipe (`pipe(2)`), closed on `exec`.
package struct Pipe: ~Copyable {
    let readEnd: Descriptor
    let writeEnd: Descriptor

    /// - Parameter path: what it is for, as an error shows it.
    package init(for path: String) throws(DiskError) {
        var numbers: [Int32] = [-1, -1]
        _ = try SystemCall.run("pipe", path) { unsafe daybook_pipe(&numbers) }
        readEnd = Descriptor(owning: numbers[0])
        writeEnd = Descriptor(owning: numbers[1])
    }

    /// Gives both away, to somebody who closes them.
    package consuming func release() -> (read: Int32, write: Int32) { (readEnd.release(), writeEnd.release()) }
}
