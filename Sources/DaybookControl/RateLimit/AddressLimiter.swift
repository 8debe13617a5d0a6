import Synchronization

/// One limit for every client address, in bounded memory.
///
/// So many addresses are kept at once. Those that have been silent long enough to be forgotten make room. When there is
/// no such address, whoever is new shares one account with all others that are new: a flood from more addresses than
/// fit costs those a share of one limit, never more memory, and never the account of an address that is known.
package final class AddressLimiter: Sendable {
    /// 320 bytes each.
    package static let addressCountMax = 8_192
    /// How many accounts are looked at to find one that may go.
    private static let probeCount = 8

    private struct Entry {
        var address: ClientAddress
        var budget = RateBudget()
    }

    private struct Table {
        var places: [ClientAddress: Int] = [:]
        var entries: [Entry] = []
        var hand = 0
        /// Of all addresses that found no place.
        var shared = RateBudget()

        /// The place of an address, made when there is room.
        mutating func place(of address: ClientAddress, at now: UInt64, countMax: Int) -> Int? {
            if let known = places[address] { return known }
            if entries.count < countMax {
                entries.append(Entry(address: address))
                places[address] = entries.count - 1
                return entries.count - 1
            }
            for _ in 0..<probeCount {
                let candidate = hand
                hand = (hand + 1) % entries.count
                guard entries[candidate].budget.isForgettable(at: now) else { continue }
                places[entries[candidate].address] = nil
                entries[candidate] = Entry(address: address)
                places[address] = candidate
                return candidate
            }
            return nil
        }
    }

    private final class Shard: Sendable {
        let table = Mutex(Table())
    }

    private let limit: RateLimit
    private let countMaxOfShard: Int
    private let shards: [Shard]

    /// - Parameters:
    ///   - addressCountMax: rounded down to a multiple of `shardCount`.
    ///   - shardCount: parts of the table, each with a lock of its own.
    /// Precondition: at least one address in each part.
    package init(_ limit: RateLimit, addressCountMax: Int = AddressLimiter.addressCountMax, shardCount: Int = 16) {
        precondition(shardCount > 0 && addressCountMax >= shardCount)
        self.limit = limit
        countMaxOfShard = addressCountMax / shardCount
        shards = (0..<shardCount).map { _ in Shard() }
    }

    /// Counts something that came from this address, or refuses it.
    /// - Parameter now: nanoseconds of the monotonic clock.
    package func admit(_ address: ClientAddress, at now: UInt64) -> RateDecision {
        shard(of: address).table.withLock { table in
            guard let place = table.place(of: address, at: now, countMax: countMaxOfShard) else {
                return table.shared.admit(at: now, limit)
            }
            return table.entries[place].budget.admit(at: now, limit)
        }
    }

    /// Undoes an admission of this moment: it turned out not to count.
    package func takeBack(_ address: ClientAddress, from moment: UInt64) {
        shard(of: address).table.withLock { table in
            guard let place = table.places[address] else { return table.shared.takeBack(from: moment) }
            table.entries[place].budget.takeBack(from: moment)
        }
    }

    /// Addresses that have an account of their own.
    package var addressCount: Int { shards.reduce(0) { sum, shard in sum + shard.table.withLock(\.entries.count) } }

    private func shard(of address: ClientAddress) -> Shard {
        shards[Int(UInt(bitPattern: address.hashValue) % UInt(shards.count))]
    }
}
