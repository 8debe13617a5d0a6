/// What is on a disk while no power is on: files and directories by path.
package struct DiskImage: Sendable, Equatable {
    package var files: [String: [UInt8]]
    /// Without the root.
    package var directories: Set<String>

    /// The directories of all files come by themselves.
    package init(files: [String: [UInt8]] = [:], directories: Set<String> = []) {
        self.files = files
        self.directories = directories
        for path in Array(files.keys) + Array(directories) {
            var parent = path
            while let slash = parent.lastIndex(of: "/") {
                parent = String(parent[..<slash])
                self.directories.insert(parent)
            }
        }
    }
}

extension SimulatedState {
    init(recovering image: DiskImage, seed: UInt64) {
        self.init(seed: seed)
        for path in image.directories.sorted(by: Self.precedes) {
            guard let place = place(path) else { preconditionFailure("no parent of \(path)") }
            directories.addDirectory(nextNode)
            directories.set(place, to: .directory(nextNode))
            nextNode += 1
        }
        for path in image.files.keys.sorted(by: Self.precedes) {
            guard let place = place(path) else { preconditionFailure("no parent of \(path)") }
            contents[nextNode] = SimulatedContents(durable: image.files[path] ?? [])
            directories.set(place, to: .file(nextNode))
            nextNode += 1
        }
        directories.synchronize(nil)
    }

    /// What a reader sees now.
    func visibleImage() -> DiskImage {
        image(of: directories.visible) { contents, _ in contents.visible }
    }

    /// One of the legal images after a power loss at this moment.
    func survivingImage(seed: UInt64) -> DiskImage {
        var random = SeededRandom(seed: seed)
        let entries = directories.survivor(&random)
        var survivors: [Int: [UInt8]] = [:]
        return image(of: entries) { contents, node in
            if let known = survivors[node] { return known }
            let bytes = contents.survivor(&random)
            survivors[node] = bytes
            return bytes
        }
    }

    private func image(
        of entries: [Int: [String: SimulatedDirectories.Node]], _ bytes: (SimulatedContents, Int) -> [UInt8]
    ) -> DiskImage {
        var image = DiskImage()
        var remaining: [(number: Int, path: String)] = [(0, "")]
        var seen: Set<Int> = []
        while let (number, path) = remaining.popLast() {
            // A renamed directory may have kept its old name as well; a loop of names is not reachable from the root.
            guard seen.insert(number).inserted else { continue }
            for (name, node) in (entries[number] ?? [:]).sorted(by: { Self.precedes($0.key, $1.key) }) {
                let child = path.isEmpty ? name : path + "/" + name
                switch node {
                case .file(let file): image.files[child] = contents[file].map { bytes($0, file) }
                case .directory(let directory):
                    image.directories.insert(child)
                    remaining.append((directory, child))
                }
            }
        }
        return image
    }

    static func precedes(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }
}
