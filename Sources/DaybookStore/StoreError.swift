package import DaybookFormat
package import DaybookLog
internal import DaybookSegment
package import DaybookSystem

/// Why the store could not do what was asked.
package enum StoreError: Error, Sendable, CustomStringConvertible {
    case disk(DiskError)
    case corrupt(Corruption)
    /// The directory is not a store, or already is one.
    case notAStore(String)
    case alreadyAStore
    /// Another process holds the data directory.
    case locked
    case organizationExists(OrganizationID)
    case unknownOrganization
    /// A legal hold keeps every event of the organization.
    case held(OrganizationID)
    /// The organization's manifest cannot be read: it is closed, the others are served.
    case organizationClosed(Corruption)
    /// There is nothing to rebuild: the organization's manifest is whole.
    case organizationIsOpen
    /// Ingest said no.
    case refused(CommitRefusal)
    /// What has to be done first failed as often as it is tried by itself.
    case heldByDeadLetter(UInt64)
    /// The files kept changing under a reader beside a running server.
    case unstable

    package var description: String {
        switch self {
        case .disk(let error): error.description
        case .corrupt(let corruption): corruption.description
        case .notAStore(let why): "not a Daybook data directory: \(why)"
        case .alreadyAStore: "the directory already holds a store"
        case .locked: "another process uses this data directory"
        case .organizationExists(let id): "organization \(id) exists already"
        case .unknownOrganization: "unknown organization"
        case .held(let id): "a legal hold keeps the events of organization \(id)"
        case .organizationClosed(let corruption): "organization closed, its manifest is damaged: \(corruption)"
        case .organizationIsOpen: "the organization's manifest is whole"
        case .refused(let refusal): "refused: \(refusal)"
        case .heldByDeadLetter(let id): "dead letter \(hexText(id)) must be replayed first"
        case .unstable: "the files changed faster than they could be read; try again"
        }
    }

    init(_ error: LogError) {
        switch error {
        case .disk(let error): self = .disk(error)
        case .corrupt(let corruption): self = .corrupt(corruption)
        case .poisoned: self = .refused(.storageUnavailable)
        }
    }

    init(_ error: SegmentError) {
        switch error {
        case .disk(let error): self = .disk(error)
        case .corrupt(let corruption): self = .corrupt(corruption)
        }
    }
}

extension StoreError {
    init(_ error: ManifestError) {
        switch error {
        case .disk(let error): self = .disk(error)
        case .corrupt(let corruption): self = .corrupt(corruption)
        case .violation(let rule): preconditionFailure("\(rule)")
        }
    }

    init(_ error: CarryError) {
        switch error {
        case .disk(let error): self = .disk(error)
        case .corrupt(let corruption): self = .corrupt(corruption)
        }
    }
}

/// Runs `body` and turns what the floors below throw into a store error.
func inStore<R>(_ body: () throws -> R) throws(StoreError) -> R {
    do {
        return try body()
    } catch let error as StoreError {
        throw error
    } catch let error as DiskError {
        throw .disk(error)
    } catch let error as LogError {
        throw StoreError(error)
    } catch let error as SegmentError {
        throw StoreError(error)
    } catch let error as ManifestError {
        throw StoreError(error)
    } catch let error as CarryError {
        throw StoreError(error)
    } catch let error as Corruption {
        throw .corrupt(error)
    } catch let error as FormatError {
        // A whole record that says what this version does not know; whoever knows the file says it above.
        throw .corrupt(Corruption(file: "", offset: 0, reason: error))
    } catch {
        preconditionFailure("an error of a kind that no floor below throws: \(error)")
    }
}
