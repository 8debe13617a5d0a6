internal import DaybookFormat

/// Pieces of JSON text for whoever prints.
package enum JSONText {
    /// Appends a string with its quotes, escaped as in canonical JSON. `text` must be UTF-8 for the result to be JSON.
    package static func append(_ text: RawSpan, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        unsafe text.withUnsafeBytes { buffer in
            var start = 0
            for at in 0..<buffer.count where unsafe JSONCursor.mustBeEscaped(buffer[at]) {
                unsafe bytes.append(contentsOf: buffer[start..<at])
                unsafe JSONCursor.appendEscaped(buffer[at], to: &bytes)
                start = at + 1
            }
            unsafe bytes.append(contentsOf: buffer[start..<buffer.count])
        }
        bytes.append(UInt8(ascii: "\""))
    }

    package static func append(_ text: String, to bytes: inout [UInt8]) {
        Array(text.utf8).withRawSpan { append($0, to: &bytes) }
    }
}

/// The canonical form of free-form objects; docs/format/event.md section 5.
package enum CanonicalJSON {
    /// The canonical text of one object, within the limits of free-form objects; nil for anything else.
    package static func canonicalize(_ text: RawSpan) -> [UInt8]? {
        unsafe text.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress, buffer.count > 0 else { return nil }
            let start = unsafe base.assumingMemoryBound(to: UInt8.self)
            guard (try? UTF8Span(validating: unsafe Span(_unsafeStart: start, count: buffer.count))) != nil else {
                return nil
            }
            var cursor = unsafe JSONCursor(start, count: buffer.count)
            var writer = CanonicalWriter()
            guard cursor.peek() == UInt8(ascii: "{"), let range = try? writer.write(&cursor), writer.issues.isEmpty
            else {
                return nil
            }
            _ = cursor.peek()
            guard cursor.position == cursor.end else { return nil }
            return unsafe Array(UnsafeBufferPointer(start: writer.sink.base + range.lowerBound, count: range.count))
        }
    }
}
