package import DaybookFormat
package import DaybookSystem

extension SegmentIndex {
    /// What is wrong with the index of an open segment; nil when it is what the segment makes it. Writes nothing.
    package static func damage(of segment: SegmentReader, disk: any Disk) throws(SegmentError) -> Corruption? {
        let path = path(ofSegment: segment.path)
        let bytes: [UInt8]
        do throws(DiskError) {
            bytes = try disk.readAll(path)
        } catch {
            throw .disk(error)
        }
        do throws(FormatError) {
            _ = try bytes.withRawSpan { (span: RawSpan) throws(FormatError) in
                try IndexLayout(verifying: span, of: IndexShape(of: segment))
            }
        } catch {
            return Corruption(file: path, offset: 0, reason: error)
        }
        let expected = try IndexBuilder.build(segment)
        guard bytes != expected else { return nil }
        let offset = zip(bytes, expected).prefix { $0 == $1 }.count
        return Corruption(file: path, offset: UInt64(offset), reason: .invalid("index of this segment"))
    }
}
