internal import DaybookEvent
internal import DaybookFormat
internal import DaybookStore

/// The teams of the organization that sent last, on one event loop: a request pays for no lock as long as no team of
/// anybody changes and the loop serves one organization. Touched by that loop only.
struct TeamCache {
    private var generation: UInt64 = 0
    private var log: LogID?
    private var index: TeamIndex?

    /// Whose events belong to which team at this moment; nil where nobody is in one.
    mutating func teams(of log: LogID, in store: Store) -> TeamIndex? {
        let generation = store.teamGeneration
        guard generation > 0 else { return nil }
        if generation == self.generation, log == self.log { return index }
        self.generation = generation
        self.log = log
        index = store.teams(of: log)
        return index
    }
}
