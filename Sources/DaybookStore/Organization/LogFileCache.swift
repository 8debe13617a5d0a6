internal import DaybookSystem

/// Open log files of the checkpoint thread, least recently used first: an idle organization holds no descriptor.
final class LogFileCache {
    private let capacity: Int
    private var files: [any DiskFile] = []

    init(capacity: Int) { self.capacity = capacity }

    func add(_ file: any DiskFile) {
        files.append(file)
        if files.count > capacity { files.removeFirst().close() }
    }

    func open(_ path: String, _ disk: any Disk) throws(DiskError) -> any DiskFile {
        if let index = files.lastIndex(where: { $0.path == path }) {
            let file = files.remove(at: index)
            files.append(file)
            return file
        }
        let file = try disk.open(path, .readWrite)
        add(file)
        return file
    }

    /// Another file gets this name.
    func forget(_ path: String) {
        for file in files where file.path == path { file.close() }
        files.removeAll { $0.path == path }
    }

    func closeAll() {
        for file in files { file.close() }
        files.removeAll()
    }
}
