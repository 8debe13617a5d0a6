import ArgumentParser

@main
struct Daybook: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "daybook", abstract: "Collects, stores, answers for and proves development metrics.")
}
