/// Chosen attributes of some rows of a row group.
///
/// Where a column says `mayBeInRest`, rows without a value there may have one in the rest of their object: look for the
/// path in it as in the object itself. In a segment without columns of attributes the rest is the whole object.
package struct AttributeBatch: Sendable {
    /// In the order in which they were asked for.
    package internal(set) var columns: [AttributeColumn]
    /// What is left of `context`, `metadata` or `dimensions`; nil when no column needs it. Rows of which nothing is
    /// left, or that have no object, have no value.
    package let objectRest: ByteColumn?
    /// What is left of `command_args`.
    package let argumentsRest: ByteColumn?

    package func rest(_ root: AttributeName.Root) -> ByteColumn? { root == .object ? objectRest : argumentsRest }
}
