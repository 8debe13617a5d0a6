import DaybookEvent
import DaybookFormat
import DaybookLog

/// The input is a log file whose checksums are all 0, as they are taken for sound here. A walk over it must come to its
/// end, and whatever it finds must lie inside the file.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzLogFile(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 0 else { return 0 }
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    withConstantChecksums {
        let header = try? input.withRawSpan { (bytes) throws(FormatError) in try LogFileHeader(reading: bytes) }
        let log = header?.log ?? LogID(16)
        walk(input, log)
        walkThroughWindow(input, log)
    }
    return 0
}

private func walk(_ input: [UInt8], _ log: LogID) {
    input.withRawSpan { bytes in
        var walk = LogWalk(log: log, limit: bytes.byteCount)
        while true {
            let before = walk.offset
            do throws(FormatError) {
                guard let (header, offset) = try walk.next(bytes) else { return }
                precondition(offset + header.byteCount <= bytes.byteCount, "a record behind the end")
                readEntries(of: header, bytes.extracting(offset..<offset + header.byteCount))
            } catch {
                precondition(walk.skipDamage(bytes).lowerBound == before, "damage from elsewhere")
            }
            precondition(walk.offset > before, "a walk that stands still")
        }
    }
}

private func readEntries(of header: GroupHeader, _ record: RawSpan) {
    var entries = GroupEntries(of: header)
    do throws(FormatError) {
        while let entry = try entries.next(record) {
            let encoding = record.extracting(entry.encoding)
            guard entry.family != .control else { continue }
            _ = try EventFields(family: entry.family, schemaVersion: entry.schemaVersion, reading: encoding)
        }
    } catch {}
}

/// The same, as sealing and recovery read.
private func walkThroughWindow(_ input: [UInt8], _ log: LogID) {
    var reader = LogFileReader(file: MemoryFile("a.dbl", input), log: log, limit: input.count)
    while true {
        let before = reader.offset
        do {
            guard try reader.next({ _, _ in }) else { return }
        } catch {
            guard (try? reader.skipDamage()) != nil else { return }
        }
        precondition(reader.offset > before, "a reader that stands still")
    }
}
