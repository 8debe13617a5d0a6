/// Bounds of the HTTP front. Those of events and bodies stand in `Limits`.
enum FrontLimits {
    static let uriByteCountMax = 8 << 10
    static let headerFieldByteCountMax = 16 << 10
    static let headerListByteCountMax = 32 << 10
    static let headerFieldCountMax = 100
    static let requestIDByteCountMax = 128
    /// How long an idle kept-alive connection is still served after the server was told to stop.
    static let drainGraceMilliseconds: Int64 = 250
    /// A body that is going to be refused is read up to here for the sake of the connection, else it is cut off.
    static let discardedByteCountMax = 1 << 20
    /// Of one HTTP/2 connection.
    static let streamCountMax = 100
    /// Streams that an HTTP/2 client may reset in 30 s, and likewise those that it may get wrong.
    static let resetCountMax = 200
    /// Frames about the connection that an HTTP/2 client may send in 30 s: pings, settings, priorities.
    static let controlFrameCountMax = 200
    /// Answers to such frames that wait for the client to read.
    static let bufferedControlFrameCountMax = 1_000
    static let importLineByteCountMax = 1 << 20
    static let importChunkLineCount = 1_000
    static let importListedRejectionCountMax = 100
}
