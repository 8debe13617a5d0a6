internal import DaybookEvent
package import DaybookFormat
package import DaybookSystem

/// What can go wrong with a carry file on disk.
package enum CarryError: Error, Equatable, Sendable, CustomStringConvertible {
    case disk(DiskError)
    case corrupt(Corruption)

    package var description: String {
        switch self {
        case .disk(let error): "\(error)"
        case .corrupt(let corruption): "\(corruption)"
        }
    }
}

extension CarriedSession {
    /// - Parameter path: of the carry file, for the error.
    func decodedState(in path: String) throws(CarryError) -> SessionState {
        do throws(FormatError) {
            return try state.withRawSpan { (span) throws(FormatError) in try SessionState(reading: span) }
        } catch {
            throw .corrupt(Corruption(file: path, offset: 0, reason: error))
        }
    }
}

extension CarryFile {
    /// Writes and synchronizes the file in `folder`. The caller synchronizes the folder before the manifest names it.
    package func write(disk: any Disk, folder: String) throws(DiskError) {
        let path = Layout.path(folder, name)
        try encoded().withRawSpan { (span) throws(DiskError) in try disk.writeAnew(path, span) }
    }

    /// Reads the carry file that the manifest of `folder` names.
    package static func load(
        disk: any Disk, folder: String, name: String, log: LogID
    ) throws(CarryError) -> CarryFile {
        let path = Layout.path(folder, name)
        let bytes: [UInt8]
        do throws(DiskError) {
            bytes = try disk.readAll(path)
        } catch {
            throw .disk(error)
        }
        do throws(FormatError) {
            let carry = try bytes.withRawSpan { (span) throws(FormatError) in try CarryFile(reading: span) }
            guard carry.log == log else { throw FormatError.invalid("carry log id") }
            guard carry.name == name else { throw FormatError.invalid("carry sealed-through sequence") }
            return carry
        } catch {
            throw .corrupt(Corruption(file: path, offset: 0, reason: error))
        }
    }
}
