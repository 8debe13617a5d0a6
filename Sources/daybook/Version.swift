import ArgumentParser
import DaybookTools

/// What `daybook version`, `/version` and `/health` say.
enum Version {
    static let text = "0.1.0"
}

struct VersionVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print the version.",
        discussion: """
            EXAMPLES:
              daybook version
              daybook version --json
            """)

    @OptionGroup var output: OutputOptions

    func run() throws {
        var object = JSONObjectWriter()
        object.field("version", Version.text)
        try output.printObject(object.finish())
    }
}
