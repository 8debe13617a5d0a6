internal import DaybookControl
internal import DaybookFormat
internal import DaybookStore
internal import DaybookSystem

/// Looks at the files beside the store's own that a server keeps in a data directory. Both are replaced as a whole, so a
/// running server is never met in between.
enum KeptFileCheck {
    static func findings(_ disk: any Disk) -> [StoreFinding] {
        [
            // Without it no access token is accepted, and what is in it is nowhere else.
            finding(.tokens, Layout.signingKeys, .damage, disk) { (bytes: RawSpan) throws(FormatError) in
                _ = try SigningKeySummary.all(reading: bytes)
            },
            // It is left out, and counting begins anew.
            finding(.limits, Layout.limits, .disposable, disk) { (bytes: RawSpan) throws(FormatError) in
                _ = try LimitsFile(reading: bytes)
            },
        ].compactMap { $0 }
    }

    private static func finding(
        _ subject: StoreFinding.Subject, _ file: String, _ severity: StoreFinding.Severity, _ disk: any Disk,
        _ read: (RawSpan) throws(FormatError) -> Void
    ) -> StoreFinding? {
        do {
            guard try disk.exists(file) else { return nil }
            let bytes = try disk.readAll(file)
            do throws(FormatError) {
                try bytes.withRawSpan(read)
            } catch {
                return StoreFinding(severity, subject, file, "\(error)")
            }
            return nil
        } catch {
            return StoreFinding(severity, subject, file, "cannot be read: \(error)")
        }
    }
}
