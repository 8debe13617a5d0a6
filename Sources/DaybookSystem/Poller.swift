internal import CKernel
internal import Glibc

/// Waits for many sockets at once (`epoll`, level-triggered). One thread waits; no call allocates.
package final class Poller: Sendable {
    package struct Interest: OptionSet, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        package static let read = Interest(rawValue: 1)
        package static let write = Interest(rawValue: 2)
    }

    /// A socket that can go on. An error or the other side's end counts as both, so that the next call meets it.
    package struct Event: Sendable, Equatable {
        package var token: UInt64
        package var ready: Interest

        package init(token: UInt64, ready: Interest) {
            self.token = token
            self.ready = ready
        }
    }

    /// Room for the events of one `wait`. Kept by the caller and used again.
    package struct Events: ~Copyable, Sendable {
        fileprivate var raw: [daybook_poll_event]
        package private(set) var count = 0

        package init(capacity: Int) {
            raw = Array(repeating: daybook_poll_event(), count: capacity)
        }

        package subscript(_ index: Int) -> Event {
            precondition(index < count)
            return Event(token: raw[index].token, ready: Interest(rawValue: UInt8(raw[index].ready)))
        }

        fileprivate mutating func fill(_ body: (UnsafeMutableBufferPointer<daybook_poll_event>) -> Int32) -> Int32 {
            let result = unsafe raw.withUnsafeMutableBufferPointer { unsafe body($0) }
            count = Int(max(0, result))
            return result
        }
    }

    private let descriptor: Descriptor

    package init() throws(DiskError) {
        descriptor = Descriptor(owning: try SystemCall.run("epoll_create", "") { daybook_poll_create() })
    }

    package func add(_ socket: StreamSocket, token: UInt64, _ interest: Interest) throws(DiskError) {
        try change(DAYBOOK_POLL_ADD, socket, token, interest)
    }

    package func modify(_ socket: StreamSocket, token: UInt64, _ interest: Interest) throws(DiskError) {
        try change(DAYBOOK_POLL_MODIFY, socket, token, interest)
    }

    /// A socket that is closed leaves by itself.
    package func remove(_ socket: StreamSocket) throws(DiskError) {
        try change(DAYBOOK_POLL_REMOVE, socket, 0, [])
    }

    /// Waits until a socket can go on, for at most `microseconds` (nil: for ever; 0: not at all), and replaces the
    /// content of `events`. None after the time has run out, or after a signal.
    package func wait(_ events: inout Events, microseconds: Int64? = nil) throws(DiskError) {
        let result = unsafe events.fill { buffer in
            unsafe daybook_poll_wait(
                descriptor.number, buffer.baseAddress!, Int32(buffer.count), microseconds ?? -1)
        }
        if result == -1 && errno != EINTR { throw DiskError(code: errno, operation: "epoll_wait", path: "") }
    }

    private func change(
        _ operation: Int, _ socket: StreamSocket, _ token: UInt64, _ interest: Interest
    ) throws(DiskError) {
        _ = try SystemCall.run("epoll_ctl", "") {
            daybook_poll_change(descriptor.number, Int32(operation), socket.number, token, UInt32(interest.rawValue))
        }
    }
}
