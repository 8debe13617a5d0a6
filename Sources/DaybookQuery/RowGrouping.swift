/// Numbers the combinations of codes that the rows of one batch have, dimension by dimension, without looking at what
/// the codes mean.
struct RowGrouping {
    /// The combination of each row.
    private(set) var combinations: [Int32]
    /// How many combinations there are.
    private(set) var count = 1
    /// For each combination its codes, those of one dimension after the other.
    private(set) var codes: [[Int]] = []

    /// All rows in one combination.
    init(rowCount: Int) { combinations = [Int32](repeating: 0, count: rowCount) }

    /// Splits every combination by one more code of its rows.
    /// - Parameters:
    ///   - values: one code per row.
    ///   - cardinality: every code at or above `cardinality - 1` is taken for that: the missing value.
    mutating func split<Code: UnsignedInteger & FixedWidthInteger>(by values: [Code], cardinality: Int) {
        precondition(values.count == combinations.count && cardinality > 0)
        var parents: [Int32] = []
        var added: [Int] = []
        let last = cardinality - 1
        if count * cardinality <= max(1 << 16, 16 * combinations.count) {
            var table = [Int32](repeating: -1, count: count * cardinality)
            for row in combinations.indices {
                let parent = combinations[row]
                let code = min(Int(truncatingIfNeeded: values[row]), last)
                let entry = Int(parent) &* cardinality &+ code
                if table[entry] < 0 {
                    table[entry] = Int32(parents.count)
                    parents.append(parent)
                    added.append(code)
                }
                combinations[row] = table[entry]
            }
        } else {
            var table: [Int: Int32] = [:]
            for row in combinations.indices {
                let parent = combinations[row]
                let code = min(Int(truncatingIfNeeded: values[row]), last)
                let entry = Int(parent) * cardinality + code
                if let known = table[entry] {
                    combinations[row] = known
                } else {
                    table[entry] = Int32(parents.count)
                    combinations[row] = Int32(parents.count)
                    parents.append(parent)
                    added.append(code)
                }
            }
        }
        codes = codes.map { column in parents.map { column[Int($0)] } }
        codes.append(added)
        count = parents.count
    }

    /// What `slots` says of the combination of each row.
    func replace(by slots: [Int32]) -> [Int32] { combinations.map { slots[Int($0)] } }
}
