internal import Glibc

/// A read-only mapping of a file that never shrinks while it is mapped: only sealed, replaced-by-rename files are
/// mapped, so the pages stay valid until the last reference goes.
///
/// `@unchecked Sendable`: the pages are never written through it, and the two fields are constant.
@safe package final class Mapping: @unchecked Sendable {
    private let base: UnsafeRawPointer?
    package let byteCount: Int
    /// Keeps the bytes alive where the "mapping" is memory of a simulated disk.
    private let owner: [UInt8]?

    /// Takes ownership of a mapping made by `mmap`. `base` is nil exactly when `byteCount` is 0.
    init(base: UnsafeRawPointer?, byteCount: Int) {
        unsafe self.base = base
        self.byteCount = byteCount
        owner = nil
    }

    /// Stands in for a mapping on a simulated disk.
    package init(copy bytes: [UInt8]) {
        unsafe base = nil
        byteCount = bytes.count
        owner = bytes
    }

    package func withBytes<R, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
        if let owner { return unsafe try body(owner.span.bytes) }
        guard let base = unsafe base else { return try body(RawSpan()) }
        return unsafe try body(RawSpan(_unsafeStart: base, byteCount: byteCount))
    }

    deinit {
        if let base = unsafe base { unsafe munmap(UnsafeMutableRawPointer(mutating: base), byteCount) }
    }
}
