/// What `serve` may be told. The defaults are what the documentation promises.
package struct ServerOptions: Sendable {
    package var host = "127.0.0.1"
    /// 0 asks the kernel for a free port.
    package var port = 8080
    package var backlog = 1_024
    /// One hot ingest thread beats several busy ones on few cores.
    package var eventLoopCount = 1
    package var queryThreadCount = 2
    package var connectionCountMax = 4_096
    /// Where the admin socket goes, or nil for none. The directory must exist.
    package var adminSocketPath: String?
    /// Told by `/version` and `/health`.
    package var version = "0.1.0"

    package init() {}
}

/// Bounds of the HTTP front. Those of events and bodies stand in `Limits`.
enum FrontLimits {
    static let uriByteCountMax = 8 << 10
    static let headerFieldByteCountMax = 16 << 10
    static let headerListByteCountMax = 32 << 10
    static let headerFieldCountMax = 100
    static let requestIDByteCountMax = 128
    /// Head and body of one request, from the first byte on.
    static let requestSecondsMax = 30
    /// Between requests; closed within 35 s.
    static let idleSecondsMax = 33
    /// An answer that the peer does not read.
    static let stalledWriteSecondsMax = 30
    /// How long a commit may take before the client is told that the outcome is unknown.
    static let commitSecondsMax = 4
    /// How long a connection whose last answer is out goes on reading, so that the answer is not lost to a reset.
    static let lingerSecondsMax = 2
    /// How long an idle kept-alive connection is still served after the server was told to stop.
    static let drainGraceMilliseconds: Int64 = 250
    /// A body that is going to be refused is read up to here for the sake of the connection, else it is cut off.
    static let discardedByteCountMax = 1 << 20
    static let queryNanosecondsMax: UInt64 = 5_000_000_000
    static let importLineByteCountMax = 1 << 20
    static let importChunkLineCount = 1_000
    static let importListedRejectionCountMax = 100
}
