import DaybookFormat

@testable import DaybookStore

/// The input is a position file whose checksum is 0, as it is taken for sound here.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzzPositionFile(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let start, count > 0 else { return 0 }
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    withConstantChecksums {
        guard let position = try? PositionFile.read(disk: MemoryDisk([PositionFile.path: input])) else { return }
        let disk = MemoryDisk([:])
        guard let file = try? PositionFile(disk: disk) else { preconditionFailure("no file can be made") }
        file.publish(position)
        precondition((try? PositionFile.read(disk: disk)) == position, "a position changes when it is written again")
    }
    return 0
}
