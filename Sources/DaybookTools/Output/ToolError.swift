/// What a person is told when a verb cannot do its work: what is wrong, and what to do about it.
package struct ToolError: Error, Equatable, Sendable, CustomStringConvertible {
    package var message: String
    package var cure: String

    package init(_ message: String, cure: String) {
        self.message = message
        self.cure = cure
    }

    package var description: String { "\(message)\n\(cure)" }
}
