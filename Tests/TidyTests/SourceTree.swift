import DaybookTestSupport
import Foundation

/// A text file of the repository.
struct TextFile: Sendable, CustomStringConvertible {
    /// Relative to the root of the repository.
    let path: String
    let text: String

    var description: String { path }
    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

    /// The second folder of `Sources/Module/…`.
    var module: String { String(path.split(separator: "/").dropFirst().first ?? "") }
}

/// The files that git knows. What is ignored or not added yet is nobody's business.
enum SourceTree {
    static let isCheckedOut = FileManager.default.fileExists(atPath: Repository.root.appending(path: ".git").path)

    static let paths: [String] = {
        let git = Process()
        git.executableURL = URL(filePath: "/usr/bin/env")
        git.arguments = ["git", "-C", Repository.root.path, "ls-files", "-z", "--cached"]
        let output = Pipe()
        git.standardOutput = output
        do { try git.run() } catch { return [] }
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        git.waitUntilExit()
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            .filter { FileManager.default.fileExists(atPath: Repository.root.appending(path: $0).path) }
    }()

    /// Files below the folders with one of the endings.
    static func files(in folders: [String], endings: [String]) -> [TextFile] {
        paths.filter { path in
            folders.contains { path.hasPrefix($0) } && endings.contains { path.hasSuffix($0) }
        }
        .compactMap(read)
    }

    static func read(_ path: String) -> TextFile? {
        (try? String(contentsOf: Repository.root.appending(path: path), encoding: .utf8))
            .map { TextFile(path: path, text: $0) }
    }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: Repository.root.appending(path: path).path)
    }

    /// Swift files of the product.
    static let sources = files(in: ["Sources/"], endings: [".swift"])
    /// All Swift files.
    static let swift = files(in: ["Sources/", "Tests/", "Benchmarks/"], endings: [".swift"])
    static let pages = files(in: [""], endings: [".md"])

    /// Each source once with its comments and strings blanked.
    static let code: [String: SourceCode] = Dictionary(
        uniqueKeysWithValues: swift.map { ($0.path, SourceCode($0.text)) })
}

extension TextFile {
    var code: SourceCode { SourceTree.code[path] ?? SourceCode(text) }
}
