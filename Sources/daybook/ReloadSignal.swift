import DaybookServer
import Logging
import ServiceLifecycle
import UnixSignals

/// SIGHUP reads the files of TLS anew. Without TLS it does nothing, rather than end the server, which is what the kernel
/// would do.
struct ReloadSignal: Service {
    let security: TransportSecurity?
    let logger: Logger

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            guard let security else {
                logger.info("SIGHUP means nothing here: TLS is not on.")
                continue
            }
            security.reload(logger)
        }
    }
}
