internal import DaybookFormat
internal import DaybookSystem

/// What erasures have noted in a folder. It holds no events: one that is damaged costs a part of the certificate.
extension StoreCheck {
    func checkErasures(_ log: LogID, _ folder: String, _ found: inout [StoreFinding]) {
        for name in (try? disk.list(folder)) ?? [] {
            guard case .erasure(let id)? = FileKind(name: name) else { continue }
            let path = Layout.path(folder, name)
            willRead(path)
            do {
                let bytes = try disk.readAll(path)
                count { $0.erasures += 1 }
                try bytes.withRawSpan { (span) throws(FormatError) in
                    let progress = try ErasureProgress(reading: span)
                    guard progress.log == log, progress.id == id else {
                        throw FormatError.invalid("erasure of another log")
                    }
                }
            } catch let error as FormatError {
                found.append(
                    StoreFinding(.disposable, .erasure, Corruption(file: path, offset: 0, reason: error)))
            } catch {
                var finding = Self.finding(.erasure, path, error)
                finding.severity = .disposable
                found.append(finding)
            }
        }
    }
}
