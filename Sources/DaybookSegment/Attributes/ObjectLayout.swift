internal import DaybookFormat

/// How the objects of the rows of a row group are put together from the columns of their attributes: what is the same for
/// all of them, made once.
struct ObjectLayout: Sendable {
    struct Part: Sendable {
        let descriptor: ColumnDescriptor
        /// Of each key on the path, from the outermost: as it stands in the text, with quotes and colon.
        let literals: [[UInt8]]
        /// Of each key, a number that two parts share when the path so far is the same.
        let places: [Int]
    }

    /// In the order of the text.
    let parts: [Part]

    init(_ columns: [(name: AttributeName, descriptor: ColumnDescriptor)]) {
        var parts: [Part] = []
        var placeCount = 0
        for (name, descriptor) in columns.sorted(by: { $0.name.precedes($1.name) }) {
            let literals = name.keys.map(EscapedKey.literal)
            var places: [Int] = []
            var isShared = true
            for (depth, literal) in literals.enumerated() {
                if let last = parts.last, isShared, depth < last.literals.count, last.literals[depth] == literal {
                    places.append(last.places[depth])
                } else {
                    isShared = false
                    places.append(placeCount)
                    placeCount += 1
                }
            }
            parts.append(Part(descriptor: descriptor, literals: literals, places: places))
        }
        self.parts = parts
    }

    var isEmpty: Bool { parts.isEmpty }

    /// Memory in use, about, beside what the directory holds anyway.
    var byteCount: Int {
        parts.reduce(0) { sum, part in
            sum + MemoryLayout<Part>.stride + part.literals.reduce(64) { $0 + 48 + $1.count }
        }
    }
}
