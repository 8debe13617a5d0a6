/// The flag bits of schema version 1 that say which optional fields an encoding has. Spec: docs/format/event.md.
enum EventFlags {
    // Commands, agents
    static let session: UInt16 = 0x1
    // Every family
    static let team: UInt16 = 0x2
    // Commands, agents
    static let errorMessage: UInt16 = 0x4
    // Commands: `command_args`; agents: `metadata`; sessions: `context`; metrics: `dimensions`
    static let eight: UInt16 = 0x8
    // Commands: `context`
    static let context: UInt16 = 0x10
    // Sessions
    static let commandsExecuted: UInt16 = 0x10
    static let productivityScore: UInt16 = 0x20
    static let agentsUsed: UInt16 = 0x40
    static let totalDuration: UInt16 = 0x80
    static let abandoned: UInt16 = 0x100
    // Metrics
    static let periodStart: UInt16 = 0x10
    static let periodEnd: UInt16 = 0x20
    static let unit: UInt16 = 0x40
}
