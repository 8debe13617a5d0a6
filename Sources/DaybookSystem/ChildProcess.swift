internal import CKernel
internal import Glibc
internal import Synchronization

/// A program that this process has started.
package final class ChildProcess: Sendable {
    package enum Output: Sendable {
        case inherit
        case discard
        /// Appended to the file, which is made if it is missing.
        case file(String)
        /// Read by `readOutput`. Only for `output`; errors of the child may go the same way.
        case pipe
    }

    package enum Status: Sendable, Equatable {
        case exited(Int32)
        case killed(signal: Int32)
    }

    package enum Signal: Sendable {
        case interrupt, terminate, kill, hangUp, stop, resume
    }

    package let processID: Int32
    /// Nil while the child has not been waited for. Its number is not given to another process before that.
    private let status = Mutex<Status?>(nil)
    private let outputEnd: Descriptor?

    private init(processID: Int32, outputEnd: consuming Descriptor?) {
        self.processID = processID
        self.outputEnd = outputEnd
    }

    /// Starts `executable`, a path. `arguments` come without the program's name. The child starts with no signal
    /// blocked or ignored, an empty input, and no descriptor but the three streams.
    package static func start(
        _ executable: String, _ arguments: [String], environment: [String: String] = ProcessEnvironment.variables,
        output: Output = .inherit, error: Output = .inherit
    ) throws(DiskError) -> ChildProcess {
        let pipeEnds = output.isPipe || error.isPipe ? try Pipe(for: executable).release() : nil
        let readEnd = pipeEnds.map { Descriptor(owning: $0.read) }
        let writeEnd = pipeEnds.map { Descriptor(owning: $0.write) }
        let processID = try spawn(
            executable, arguments, environment, streams: [output, error], pipe: writeEnd)
        return ChildProcess(processID: processID, outputEnd: readEnd)
    }

    private static func spawn(
        _ executable: String, _ arguments: [String], _ environment: [String: String], streams: [Output],
        pipe: borrowing Descriptor?
    ) throws(DiskError) -> Int32 {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        for (index, stream) in streams.enumerated() {
            let target = Int32(index + 1)
            switch stream {
            case .inherit: break
            case .discard: unsafe posix_spawn_file_actions_addopen(&actions, target, "/dev/null", O_WRONLY, 0)
            case .file(let path):
                unsafe posix_spawn_file_actions_addopen(&actions, target, path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
            case .pipe:
                switch pipe {
                case .some(let end): unsafe posix_spawn_file_actions_adddup2(&actions, end.number, target)
                case .none: preconditionFailure("no pipe")
                }
            }
        }
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        unsafe sigfillset(&signals)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        let argumentVector = CStringVector([executable] + arguments)
        let environmentVector = CStringVector(environment.map { "\($0.key)=\($0.value)" }.sorted())
        var processID: Int32 = 0
        let code = unsafe posix_spawn(
            &processID, executable, &actions, &attributes, argumentVector.pointers, environmentVector.pointers)
        guard code == 0 else { throw DiskError(code: code, operation: "spawn", path: executable) }
        return processID
    }

    /// Waits until the child has ended. Any number of threads may wait, and each gets the same answer.
    package func wait() -> Status {
        // First until it has ended but still keeps its number, so that `send` meets no stranger meanwhile.
        if let known = status.withLock({ $0 }) { return known }
        var information = unsafe siginfo_t()
        var result: Int32
        repeat {
            result = unsafe waitid(P_PID, id_t(processID), &information, WEXITED | WNOWAIT)
        } while result == -1 && errno == EINTR
        return status.withLock { status in
            if let status { return status }
            var raw: Int32 = 0
            while unsafe waitpid(processID, &raw, 0) == -1 {
                precondition(errno == EINTR, "waitpid: errno \(errno)")
            }
            let ended: Status = raw & 0x7F == 0 ? .exited(raw >> 8 & 0xFF) : .killed(signal: raw & 0x7F)
            status = ended
            return ended
        }
    }

    /// How it ended, or nil while it runs.
    package func statusIfEnded() -> Status? {
        if let known = status.withLock({ $0 }) { return known }
        var information = unsafe siginfo_t()
        unsafe information.si_signo = 0
        let result = unsafe waitid(P_PID, id_t(processID), &information, WEXITED | WNOWAIT | WNOHANG)
        let isRunning = unsafe result == 0 && information.si_signo == 0
        return isRunning ? nil : wait()
    }

    /// Does nothing after the child has been waited for.
    package func send(_ signal: Signal) {
        status.withLock { status in
            if status == nil { _ = kill(processID, signal.number) }
        }
    }

    /// Appends what the child writes next to its pipe, up to 64 KiB. False at the end, which comes when the child and
    /// all that inherited its streams have closed them.
    package func readOutput(appendingTo bytes: inout [UInt8]) throws(DiskError) -> Bool {
        switch outputEnd {
        case .some(let descriptor): try HostFile.read(descriptor.number, "pipe", appendingTo: &bytes) > 0
        case .none: preconditionFailure("the output is not a pipe")
        }
    }

    package func readOutputToEnd() throws(DiskError) -> [UInt8] {
        var bytes: [UInt8] = []
        while try readOutput(appendingTo: &bytes) {}
        return bytes
    }
}

extension ChildProcess.Output {
    fileprivate var isPipe: Bool {
        if case .pipe = self { true } else { false }
    }
}

extension ChildProcess.Signal {
    fileprivate var number: Int32 {
        switch self {
        case .interrupt: SIGINT
        case .terminate: SIGTERM
        case .kill: SIGKILL
        case .hangUp: SIGHUP
        case .stop: SIGSTOP
        case .resume: SIGCONT
        }
    }
}

/// A null-terminated array of C strings, as `exec` takes it. Owns its strings.
@safe private struct CStringVector: ~Copyable {
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    init(_ strings: [String]) {
        count = strings.count
        unsafe pointers = .allocate(capacity: count + 1)
        for (index, string) in strings.enumerated() { unsafe pointers[index] = strdup(string) }
        unsafe pointers[count] = nil
    }

    deinit {
        for index in 0..<count { unsafe free(pointers[index]) }
        unsafe pointers.deallocate()
    }
}
