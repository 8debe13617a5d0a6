import DaybookFormat
import DaybookStore

/// The input is a manifest whose checksums are all 0, as they are taken for sound here. One that is accepted keeps every
/// rule.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzManifest(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 0 else { return 0 }
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    withConstantChecksums {
        input.withRawSpan { bytes in
            guard let file = try? ManifestFile(reading: bytes, file: "manifest.dbm") else { return }
            precondition(file.byteCount + file.tornByteCount == count, "bytes that are neither read nor torn")
            precondition(file.manifest.firstBrokenInvariant == nil, "a manifest that breaks a rule")
            _ = file.manifest.namedFiles
        }
    }
    return 0
}
