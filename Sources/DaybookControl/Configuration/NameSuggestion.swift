/// What somebody probably meant.
enum NameSuggestion {
    /// Longer names are not compared: nobody mistypes a known one into them.
    private static let lengthMax = 128

    /// The known name that is nearest to the given one, when it is near: a third of the letters may differ, or a part of
    /// the name may stand alone. The first of several that are equally near.
    static func nearest(to name: String, among known: [String]) -> String? {
        let typed = Array(name.lowercased().utf8)
        guard !typed.isEmpty, typed.count <= lengthMax else { return nil }
        if let whole = known.first(where: { $0.split(separator: ".").last.map(String.init) == name }) { return whole }
        var best: (distance: Int, name: String)?
        for candidate in known {
            let distance = distance(typed, Array(candidate.lowercased().utf8))
            guard distance <= max(2, typed.count / 3), distance < best?.distance ?? .max else { continue }
            best = (distance, candidate)
        }
        return best?.name ?? (typed.count < 4 ? nil : known.first { $0.lowercased().contains(name.lowercased()) })
    }

    /// How many letters must be put in, taken out, changed, or exchanged with their neighbour to make one of the other:
    /// the optimal string alignment distance (Damerau 1964). Complexity: O(product of the lengths).
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var before = [Int](repeating: 0, count: right.count + 1)
        var last = Array(0...right.count)
        for row in left.indices {
            var next = [Int](repeating: row + 1, count: right.count + 1)
            for column in right.indices {
                let change = left[row] == right[column] ? 0 : 1
                var least = min(last[column] + change, last[column + 1] + 1, next[column] + 1)
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    least = min(least, before[column - 1] + 1)
                }
                next[column + 1] = least
            }
            before = last
            last = next
        }
        return last[right.count]
    }
}
