import DaybookTestSupport
import Testing

@Suite(.enabled(if: SourceTree.isCheckedOut))
struct FloorTests {
    @Test(arguments: SourceTree.sources)
    func importsPointStrictlyDown(file: TextFile) {
        for (imported, line) in file.code.imports {
            let objection = Floors.objection(to: imported, in: file.module)
            #expect(objection == nil, "\(file.path):\(line) imports \(imported)")
        }
    }

    @Test func everyFolderOfSourcesStandsOnAFloor() {
        let folders = Set(
            SourceTree.paths.filter { $0.hasPrefix("Sources/") }.map { String($0.split(separator: "/")[1]) })
        let known = Floors.modules.flatMap(\.names) + Array(Floors.shims.keys)
        #expect(folders.subtracting(known).sorted() == [])
        #expect(folders.count > 10)
    }

    @Test func theArchitecturePageShowsTheSameFloors() throws {
        let page = try #require(SourceTree.read("docs/architecture.md"))
        for (floor, names) in Floors.modules {
            let row = try #require(page.lines.first { $0.hasPrefix("| \(floor) |") }, "no row for floor \(floor)")
            for name in names { #expect(row.contains("`\(name)`"), "\(name) on floor \(floor)") }
        }
    }

    @Test(arguments: [
        ("DaybookStore", "DaybookLog"), ("DaybookStore", "Synchronization"), ("DaybookSystem", "Glibc"),
        ("DaybookServer", "NIOCore"), ("DaybookCompression", "CLZ4"), ("DaybookFormat", "CChecksum"),
        ("daybook", "DaybookServer"), ("DaybookTools", "FoundationEssentials"), ("DaybookControl", "JWTKit"),
    ])
    func theTableAllows(module: String, imported: String) {
        #expect(Floors.objection(to: imported, in: module) == nil)
    }

    @Test(arguments: [
        ("DaybookLog", "DaybookStore"), ("DaybookLog", "DaybookSegment"), ("DaybookLog", "DaybookLog"),
        ("DaybookStore", "Glibc"), ("DaybookQuery", "FoundationEssentials"), ("DaybookExport", "NIOCore"),
        ("DaybookStore", "CLZ4"), ("DaybookTools", "DaybookServer"), ("DaybookServer", "Foundation"),
        ("Unknown", "Swift"), ("DaybookServer", "JWTKit"), ("DaybookControl", "NIOCore"),
    ])
    func theTableForbids(module: String, imported: String) {
        #expect(Floors.objection(to: imported, in: module) != nil)
    }
}
