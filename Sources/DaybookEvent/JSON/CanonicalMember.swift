/// A member in the sink: from the quote of its key to the end of its value, without the comma. Small, because sorting
/// moves it; 32 bits are enough for what a body can become.
struct CanonicalMember {
    /// The key's first eight bytes, big-endian, filled up with zeros; decides most comparisons.
    var prefix: UInt64
    private var start32: Int32
    private var end32: Int32 = 0
    private var keyByteCount32: Int32
    /// False for keys that were sent with escapes.
    var hasPrefix: Bool
    /// The key's text holds a backslash, so it is not what is compared.
    var isKeyEscaped = false

    @inline(__always)
    init(start: Int, keyByteCount: Int, prefix: UInt64?) {
        start32 = Int32(truncatingIfNeeded: start)
        keyByteCount32 = Int32(truncatingIfNeeded: keyByteCount)
        self.prefix = prefix ?? 0
        hasPrefix = prefix != nil
    }

    @inline(__always) var start: Int { Int(start32) }
    @inline(__always) var keyStart: Int { Int(start32) &+ 1 }
    /// Bytes of the key's canonical text, quotes apart.
    @inline(__always) var keyByteCount: Int { Int(keyByteCount32) }
    @inline(__always) var end: Int {
        get { Int(end32) }
        set { end32 = Int32(truncatingIfNeeded: newValue) }
    }
}

/// Where a container on the way down stands: the key in the body, or the index.
struct CanonicalStep {
    var key = StringToken(start: 0, end: 0, isEscaped: false)
    /// -1 when there is a key.
    var index = 0
}
