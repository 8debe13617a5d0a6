import Testing

@testable import DaybookServer

/// What counts as a trace, by W3C Trace Context, section 3.2.
@Suite struct TraceIDTests {
    private let trace = "4bf92f3577b34da6a3ce929d0e0e4736"

    @Test func wellFormedValuesNameTheirTrace() {
        for value in [
            "00-\(trace)-00f067aa0ba902b7-01", "00-\(trace)-00f067aa0ba902b7-00", "00-\(trace)-0000000000000001-ff",
            // A version to come may know more.
            "01-\(trace)-00f067aa0ba902b7-01", "cc-\(trace)-00f067aa0ba902b7-01-what-it-knows",
        ] {
            #expect(TraceID(traceparent: value.utf8)?.text == trace, "\(value)")
        }
        let small = "00000000000000010000000000000002"
        #expect(TraceID(traceparent: "00-\(small)-00f067aa0ba902b7-01".utf8)?.text == small)
        let high = "80000000000000000000000000000000"
        #expect(TraceID(traceparent: "00-\(high)-00f067aa0ba902b7-01".utf8)?.text == high)
    }

    @Test func everythingElseIsNone() {
        let zero = String(repeating: "0", count: 32)
        for value in [
            "", "00", "00-", "00-\(trace)", "00-\(trace)-00f067aa0ba902b7", "00-\(trace)-00f067aa0ba902b7-",
            "00-\(trace)-00f067aa0ba902b7-1", "00-\(trace)-00f067aa0ba902b7-01-", "00-\(trace)-00f067aa0ba902b7-01-x",
            "00-\(trace)-00f067aa0ba902b7-011", "ff-\(trace)-00f067aa0ba902b7-01", "01-\(trace)-00f067aa0ba902b7-01x",
            "0-\(trace)-00f067aa0ba902b7-01", "00-\(zero)-00f067aa0ba902b7-01", "00-\(trace)-0000000000000000-01",
            "00-\(trace.uppercased())-00f067aa0ba902b7-01", "00-\(trace)-00F067AA0BA902B7-01",
            "0A-\(trace)-00f067aa0ba902b7-01", "00-\(trace)-00f067aa0ba902b7-0A", "00_\(trace)_00f067aa0ba902b7_01",
            "00-\(trace)0-00f067aa0ba902b7-01", "00-\(trace.dropLast())-00f067aa0ba902b7-01",
            "00-\(trace.dropLast())g-00f067aa0ba902b7-01", "00-\(trace)-00f067aa0ba902b7-01 ",
            " 00-\(trace)-00f067aa0ba902b7-01", "00-\(trace.dropLast())é-00f067aa0ba902b7-01",
        ] {
            #expect(TraceID(traceparent: value.utf8) == nil, "\(value)")
        }
    }
}
