package final class SegmentReader: Sendable {
    private init() {}
}
