internal import DaybookControl

/// A small JSON object as text for people: a line for each field, a table for each list of objects.
package enum ObjectTable {
    /// These come first and in this order, others behind them by name.
    private static let order = [
        "number", "at", "organization", "user_id", "team_id", "record_id", "key_id", "name", "role", "operator",
        "scopes", "user", "api_key", "created_at",
        "expires_at", "last_used_at", "revoked_at", "actor", "action", "target", "outcome", "count",
        "value", "origin", "place",
    ]

    package static func text(_ object: [UInt8]) throws -> String {
        guard case .object(let fields) = try ControlDocument(parsing: object) else { return "" }
        var lines: [String] = []
        let width = 2 + (fields.keys.map(\.count).max() ?? 0)
        for key in sorted(fields.keys) {
            guard let value = fields[key] else { continue }
            if case .array(let items) = value, items.isEmpty, fields.count > 1 {
                lines.append(pad(key.replacing("_", with: " "), width) + "none")
            } else if case .array(let items) = value, let rows = rows(items) {
                lines.append(contentsOf: table(rows))
            } else {
                lines.append(pad(key.replacing("_", with: " "), width) + text(value))
            }
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private static func sorted(_ keys: some Sequence<String>) -> [String] {
        keys.sorted { (rank($0), $0) < (rank($1), $1) }
    }

    private static func rank(_ key: String) -> Int { order.firstIndex(of: key) ?? order.count }

    private static func rows(_ items: [ControlDocument]) -> [[String: ControlDocument]]? {
        var rows: [[String: ControlDocument]] = []
        for item in items {
            guard case .object(let fields) = item else { return nil }
            rows.append(fields)
        }
        return rows
    }

    private static func table(_ rows: [[String: ControlDocument]]) -> [String] {
        guard let first = rows.first else { return ["none"] }
        let columns = sorted(first.keys)
        let cells = [columns] + rows.map { row in columns.map { row[$0].map(text) ?? "" } }
        let widths = columns.indices.map { index in cells.map { $0[index].count }.max() ?? 0 }
        return cells.map { row in
            let line = row.indices.map { pad(row[$0], widths[$0] + 2) }.joined()
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }

    private static func text(_ value: ControlDocument) -> String {
        switch value {
        case .string(let text): text
        case .integer(let number): String(number)
        case .decimal(let text): text
        case .boolean(let flag): flag ? "yes" : "no"
        case .null: "-"
        case .array(let items): items.map(text).joined(separator: " ")
        case .object(let fields):
            sorted(fields.keys).map { "\($0.replacing("_", with: " ")) \(text(fields[$0] ?? .null))" }.joined(
                separator: ", ")
        }
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}
