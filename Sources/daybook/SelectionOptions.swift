import ArgumentParser
import DaybookExport
import DaybookFormat

/// Which events of a log, for replay and export.
struct SelectionOptions: ParsableArguments {
    @Option(name: .long, help: "First sequence, or earliest event time.")
    var from: PositionArgument?
    @Option(name: .long, help: "Last sequence, or the event time at which to stop.")
    var to: PositionArgument?
    @Option(
        name: .long,
        help: "command_execution, agent_interaction, session_change or productivity_metric; repeat it for more.")
    var family: [FamilyArgument] = []
    @Option(name: .long, help: "Only this command, agent, metric type or session.")
    var name: String?

    func selection() -> EventSelection {
        var selection = EventSelection()
        selection.from = from?.position
        selection.to = to?.position
        selection.families = Set(family.map(\.family))
        selection.name = name
        return selection
    }
}

/// A sequence, or a time as in RFC 3339.
struct PositionArgument: ExpressibleByArgument {
    var position: LogPosition

    init?(argument: String) {
        guard let position = LogPosition(argument) else { return nil }
        self.position = position
    }
}

/// A family by its `type`.
struct FamilyArgument: ExpressibleByArgument {
    var family: Family

    init?(argument: String) {
        guard let family = Family.ofOrganizations.first(where: { $0.typeName == argument }) else { return nil }
        self.family = family
    }

    static var allValueStrings: [String] { Family.ofOrganizations.map(\.typeName) }
}
