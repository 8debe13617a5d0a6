internal import NIOCore

/// What becomes of a connection whose peer has ended its side: it sends nothing more, and may still want its answers.
extension ConnectionHandler {
    /// Whether what comes in concerns the request at hand, or the next one, now. Behind a request that is whole an end or an
    /// error of the input waits for its answer, and behind a chunk of an import for its commit.
    var isTakingInput: Bool {
        switch phase {
        case .idle, .collecting, .asking: true
        case .importing: importStream?.hasEnded == false && importStream?.isWaiting == false
        case .routing: !routing.requestHasEnded
        case .held, .parsing, .committing, .querying, .lingering, .closed: false
        }
    }

    /// The peer has ended its side just now.
    func inputEnded() {
        switch phase {
        case .lingering:
            if lingerStartedTick != nil { context?.close(promise: nil) }
        case .closed: break
        default:
            if phase == .querying { query?.inputClosedTick = loop.tick }
            if waiting.isEmpty && isTakingInput { meetEndOfInput() } else { waiting.append(.inputClosed) }
        }
    }

    /// A request that is not whole never will be. Precondition: `isTakingInput`.
    func meetEndOfInput() {
        if phase == .idle { linger() } else { context?.close(promise: nil) }
    }
}
