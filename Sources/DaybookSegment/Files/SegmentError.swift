package import DaybookFormat
package import DaybookSystem

/// Why a segment could not be written or read.
package enum SegmentError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The disk said no.
    case disk(DiskError)
    /// The bytes are not what was written. Other pages of the file stay readable.
    case corrupt(Corruption)

    package var description: String {
        switch self {
        case .disk(let error): error.description
        case .corrupt(let corruption): corruption.description
        }
    }
}
