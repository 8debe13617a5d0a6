internal import DaybookFormat

/// The events of one page as they are read, in any order. They hold together as many bytes as a page may, and at least
/// one event is kept: what does not fit any more is left to the next page, which begins behind the last that did.
struct EventPage {
    /// By their place in the list; nil for one that was not read yet, or that damage has taken.
    private var events: [ListedEvent?]
    private let byteCountMax: Int
    /// Events from this place of the list on are not on the page.
    private(set) var end: Int
    /// Of the encodings that are held.
    private(set) var byteCount = 0

    init(count: Int, byteCountMax: Int) {
        events = [ListedEvent?](repeating: nil, count: count)
        self.byteCountMax = byteCountMax
        end = count
    }

    func wants(_ place: Int) -> Bool { place < end }

    /// Precondition: the page wants it, and has not got it yet.
    mutating func keep(_ event: ListedEvent, at place: Int) {
        precondition(wants(place) && events[place] == nil)
        events[place] = event
        byteCount += event.encoding.count
        // Where the page ends does not depend on the order of reading: it is what the events before it add up to.
        while byteCount > byteCountMax, end > 1 {
            end -= 1
            byteCount -= events[end]?.encoding.count ?? 0
            events[end] = nil
        }
    }

    /// In the order of the list.
    var list: [ListedEvent] { events[..<end].compactMap { $0 } }
}
