internal import DaybookFormat

/// What the HTTP front may be told. The defaults are what the documentation promises.
package struct ServerOptions: Sendable, Equatable {
    package static let eventLoopCountMax = 64
    /// Connections beyond the limit that are told so; further ones are closed without a word.
    package static let refusedConnectionCountMax = 256

    package var host = "127.0.0.1"
    /// 0 asks the kernel for a free port.
    package var port = 8080
    package var backlog = 1_024
    /// One hot ingest thread beats several busy ones on few cores. Precondition: 1 to `eventLoopCountMax`.
    package var eventLoopCount = 1
    package var queryThreadCount = 2
    /// For the groups, values and rows of all questions that run, and for answers that are not read yet.
    package var queryMemoryByteCountMax = 192 << 20
    package var connectionCountMax = 4_096
    /// Events of one batch. Precondition: 1 to `Limits.batchEventCountMax`.
    package var batchEventCountMax = Limits.batchEventCountMax
    /// Where the admin socket goes, or nil for none. The directory must exist.
    package var adminSocketPath: String?
    /// Told by `/version` and `/health`.
    package var version = "0.1.0"
    package var timeLimits = TimeLimits()
    package var addressLimits = AddressLimits()
    package var tls = TLSOptions()
    /// Where TLS is on.
    package var speaksHTTP2 = true
    /// For `Strict-Transport-Security`, on answers that come over TLS; 0 leaves it out.
    package var strictTransportSeconds = 31_536_000
    package var trustedProxies = TrustedProxies()
    package var allowedOrigins = AllowedOrigins()

    package init() {}

    /// Two thirds: the others always have some.
    package var queryMemoryByteCountMaxOfOrganization: Int { queryMemoryByteCountMax / 3 * 2 }
}

/// How long things may take.
package struct TimeLimits: Sendable, Equatable {
    /// How often connections are looked at while there are any: what is over is met up to this much later, never early.
    package var checkIntervalMilliseconds = 500
    /// Head and body of one request, from the first byte on; of an import, each pause in its body.
    package var requestMilliseconds = 30_000
    /// Between requests; closed within 35 s.
    package var idleMilliseconds = 33_000
    /// An answer that the peer does not read.
    package var stalledWriteMilliseconds = 30_000
    /// How long a commit may take before the client is told that the outcome is unknown: no answer takes 5 s.
    package var commitMilliseconds = 4_000
    /// How long a query may take, for the same reason.
    package var queryMilliseconds = 4_000
    /// How long a query goes on whose client has ended its side of the connection: nearly always it has left, and those
    /// that only say that they ask nothing more get what is ready soon.
    package var leftQueryMilliseconds = 500
    /// How long a connection whose last answer is out goes on reading, so that the answer is not lost to a reset.
    package var lingerMilliseconds = 2_000
    /// From the first moment of a connection until TLS is agreed on.
    package var handshakeMilliseconds = 10_000
    /// An event loop that is further behind refuses what it can. 0 is never.
    package var shedMilliseconds = 1_000
    /// A request that takes as long, from the moment when it is whole, is told in the log. 0 is never.
    package var slowMilliseconds = 1_000

    package init() {}
}

/// What one client address may do, in any 60 seconds.
package struct AddressLimits: Sendable, Equatable {
    /// Requests with a credential that is wrong, after which none is looked at that is not known already. At least 1.
    package var wrongCredentialsPerMinute: UInt32 = 100
    /// All requests, on all connections; at least 1. Nil is without a bound: behind a proxy all clients have one address.
    package var requestsPerMinute: UInt32?

    package init() {}

    /// The same as a setting: 0 is without a bound.
    var requestsPerMinuteMax: UInt32 {
        get { requestsPerMinute ?? 0 }
        set { requestsPerMinute = newValue == 0 ? nil : newValue }
    }
}
