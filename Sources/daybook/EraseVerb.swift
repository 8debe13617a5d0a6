import ArgumentParser
import DaybookSystem
import DaybookTools

struct EraseVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase", abstract: "Forget a user of an organization.",
        discussion: """
            Erases every event whose user_id is the user, up to this moment, from log
            files, journal, segments, indexes, rollups and caches; revokes the user's
            keys and takes their names out of the control log. The events are invisible
            at once and their bytes go in the background, across restarts. A certificate
            says what was done; neither it nor the store keeps the name. Events that
            arrive later are kept.

            Works beside a running server, which then does the work, and without one.
            With a server it returns when the erasure is recorded, or with --wait when
            it is done; without one it always waits.

            Asks nothing back: check the name first, for example with
            daybook replay --organization ID.

            EXIT CODES:
              0   done, or begun when a server goes on with it
              1   the work failed; standard error says why and what to do
              64  the command line is wrong

            EXAMPLES:
              daybook erase --data ./store --organization acme --user ada
              daybook erase --data ./store --organization acme --user ada --wait --json
              daybook erase --data ./store --status 00c5ca5b6f1d7a35
              daybook erase --data ./store --reapply --wait
            """)

    @OptionGroup var dataOptions: DataOptions
    @Option(name: .long, help: "The organization. With --reapply: only this one. [default there: all]")
    var organization: String?
    @Option(name: .long, help: "The user to forget, as user_id names them.")
    var user: String?
    @Flag(name: .long, help: "Return when nothing is left, not when the erasure is recorded.")
    var wait = false
    @Flag(name: .long, help: "Carry out all recorded erasures again: after files came back out of a copy.")
    var reapply = false
    @Option(name: .long, help: "Show how far the erasure with this id has come, and its certificate.")
    var status: String?
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard status == nil || (user == nil && organization == nil && !reapply) else {
            throw ValidationError("--status goes alone: the id says which erasure is meant.")
        }
        if reapply {
            guard user == nil else { throw ValidationError("--reapply takes no --user: it knows whom to forget.") }
        } else if status == nil {
            guard organization != nil, user != nil else {
                throw ValidationError("Name whom to forget: --organization ID --user USER.")
            }
        }
    }

    func run() throws {
        if let status { return try administer(AdministrativeRequest.erasureStatus(status), dataOptions, output) }
        let door = try dataOptions.door()
        let progress = Progress(clock: SystemClock(), isShown: StandardStreams.isTerminal(.error))
        defer { progress.finish() }
        if let organization, let user, !reapply {
            let outcome = try door.erase(
                user: user, organization: organization, waits: wait, clock: SystemClock(), entropy: SystemEntropy()
            ) { progress.report($0) }
            progress.finish()
            try output.printObject(outcome.fields)
        } else {
            let outcomes = try door.reapplyErasures(
                organization: organization, waits: wait, clock: SystemClock(), entropy: SystemEntropy()
            ) { progress.report($0) }
            progress.finish()
            for outcome in outcomes { try output.printObject(outcome.fields) }
        }
    }
}
