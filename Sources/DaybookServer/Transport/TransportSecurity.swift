package import DaybookControl
package import DaybookSystem
package import Logging
internal import NIOSSL
import Synchronization

/// What new connections are encrypted with. The files can be read anew while the server runs; connections that are open
/// keep what they have agreed on.
package final class TransportSecurity: Sendable {
    /// A certificate is spoken of from so long before its end on.
    private static let warningSeconds: Int64 = 21 * 86_400

    private struct State {
        var material: TLSMaterial
        /// Why the files that are there now are not used.
        var fault: TLSFault?
    }

    struct Status: Equatable {
        /// Of the certificate in use; negative when it is over.
        var secondsToExpiry: Int64
        var fault: TLSFault?
        var isExpired: Bool { secondsToExpiry <= 0 }
    }

    private let options: TLSOptions
    private let speaksHTTP2: Bool
    private let clock: any Clock
    private let state: Mutex<State>

    /// Reads the files. An expired certificate is taken: it serves those who do not look, and the log and `/metrics` say
    /// so.
    /// Precondition: TLS is on.
    package init(_ options: ServerOptions, clock: any Clock) throws(TLSFault) {
        precondition(options.tls.isOn)
        self.options = options.tls
        speaksHTTP2 = options.speaksHTTP2
        self.clock = clock
        state = Mutex(State(material: try TLSMaterial(options.tls, speaksHTTP2: options.speaksHTTP2)))
    }

    /// What is wrong with the files that a configuration names, an expired certificate included.
    package static func fault(in options: ServerOptions, clock: any Clock) -> TLSFault? {
        do throws(TLSFault) {
            return try TransportSecurity(options, clock: clock).expiryFault
        } catch {
            return error
        }
    }

    private var nowSeconds: Int64 { clock.wallMicroseconds() / 1_000_000 }

    /// Of the certificate in use.
    private var expiryFault: TLSFault? {
        state.withLock { state in
            guard state.material.expirySeconds <= nowSeconds else { return nil }
            return Self.expired(options)
        }
    }

    private static func expired(_ options: TLSOptions) -> TLSFault {
        TLSFault(setting: "tls.certificate", message: "names \(options.certificatePath), which has expired.")
    }

    var context: NIOSSLContext { state.withLock(\.material.context) }

    var status: Status {
        state.withLock { Status(secondsToExpiry: $0.material.expirySeconds - nowSeconds, fault: $0.fault) }
    }

    /// Reads the files anew. Files that cannot be used change nothing but `status` and the log. Blocks on the disk.
    package func reload(_ logger: Logger) {
        let fault: TLSFault
        do throws(TLSFault) {
            let material = try TLSMaterial(options, speaksHTTP2: speaksHTTP2)
            guard material.expirySeconds > nowSeconds else { throw Self.expired(options) }
            state.withLock { $0 = State(material: material) }
            logger.notice("New connections get the certificate that was read just now.")
            report(to: logger)
            return
        } catch {
            fault = error
        }
        state.withLock { $0.fault = fault }
        logger.error(
            "The files of TLS cannot be used; new connections get the certificate from before.",
            metadata: ["reason": "\(fault)"])
    }

    /// Tells how long the certificate is good for, and who may read the key.
    package func report(to logger: Logger) {
        let permissions = state.withLock(\.material.keyPermissions)
        if let permissions {
            logger.warning(
                "Others than its owner may touch the private key of TLS.",
                metadata: ["path": "\(options.keyPath)", "mode": "0\(String(permissions, radix: 8))"])
        }
        let seconds = status.secondsToExpiry
        let metadata: Logger.Metadata = ["days_left": .stringConvertible(seconds / 86_400)]
        if seconds <= 0 {
            logger.error("The TLS certificate has expired.", metadata: metadata)
        } else if seconds < Self.warningSeconds {
            logger.warning("The TLS certificate expires soon.", metadata: metadata)
        } else {
            logger.info("The TLS certificate is good.", metadata: metadata)
        }
    }

    /// Once in a while: says only what should worry somebody.
    func remind(_ logger: Logger) {
        if status.secondsToExpiry < Self.warningSeconds { report(to: logger) }
    }
}
