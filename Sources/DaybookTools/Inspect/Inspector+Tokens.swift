internal import DaybookControl
internal import DaybookFormat
internal import DaybookSystem

extension Inspector {
    /// The keys that sign access tokens: their names and times, and none of their secrets.
    package func tokens() throws {
        let path = Layout.signingKeys
        var record = InspectRecord("tokens")
        record.add("path", path)
        guard try disk.exists(path) else {
            record.add("exists", false)
            return try emit(record)
        }
        let bytes = try disk.readAll(path)
        record.add("bytes", bytes.count)
        let keys: [SigningKeySummary]
        do throws(FormatError) {
            keys = try bytes.withRawSpan { (span) throws(FormatError) in try SigningKeySummary.all(reading: span) }
        } catch {
            try emit(record)
            return try emit(damage: Corruption(file: path, offset: 0, reason: error))
        }
        record.add("keys", keys.count)
        try emit(record)
        for key in keys {
            var record = InspectRecord("signing_key")
            record.add("name", key.name)
            record.add("algorithm", key.algorithm.rawValue)
            record.add("made_at", Self.text(key.madeAt))
            record.add("signs", key.verifiesUntil == nil)
            if let until = key.verifiesUntil { record.add("verifies_until", Self.text(until)) }
            try emit(record)
        }
    }
}
