extension ColumnBatch {
    /// Appends the very bytes from which the row was made. Precondition: `selection` is `.all`.
    package func appendEncoding(row: Int, to bytes: inout [UInt8]) { fatalError("signature") }
}
