import DaybookFormat
import DaybookTestSupport
import Testing

@testable import DaybookRollup

/// Files without some users, and files that are the only record.
struct RollupForgettingTests {
    private let families: [Family] = [.commandExecution, .agentInteraction, .productivityMetric]

    private func rows(_ file: RollupFile, _ grain: RollupGrain) throws -> [[UInt8]: AggregateRow] {
        guard let section = file.section(grain, .oneDay) else { return [:] }
        let rows = try file.rows(of: section)
        var found: [[UInt8]: AggregateRow] = [:]
        for row in 0..<rows.count {
            let key = rows.keys[row]
            let name = key == 0 ? [] : Array(file.dictionary(of: grain).bytes(of: key - 1))
            found[name, default: AggregateRow()].merge(rows.aggregate(row))
        }
        return found
    }

    @Test func aForgottenUserIsInNoByteAndNobodyElseChanges() throws {
        for family in families {
            let events = RollupSamples.events(family, count: 1_500, days: 3, seed: 971)
            let bytes = try #require(RollupSamples.build(family, [events], policy: .history))
            let file = try RollupFile(bytes)
            let gone = Array(file.users.bytes(of: 0))
            let left = try RollupFile(
                try #require(try file.forgetting({ Array($0) == gone }, staysNamed: { _ in true })))
            #expect(left.identity == file.identity && left.eventCount == file.eventCount && left.damages.isEmpty)
            #expect(left.users.code(of: gone) == nil && left.users.count == file.users.count - 1)
            var expected = try rows(file, .user)
            expected[gone] = nil
            #expect(try rows(left, .user) == expected)
            #expect(try rows(left, .status) == rows(file, .status))
            #expect(try rows(left, .name) == rows(file, .name))
        }
    }

    @Test func namesThatNobodyElseIsKnownToUseGoWithTheUser() throws {
        let events = RollupSamples.events(.agentInteraction, count: 600, days: 2, seed: 974)
        let file = try RollupFile(try #require(RollupSamples.build(.agentInteraction, [events], policy: .history)))
        let kept = Array(file.names.bytes(of: 1))
        let left = try RollupFile(try #require(try file.forgetting({ _ in true }, staysNamed: { Array($0) == kept })))
        #expect(left.names.count == 1 && left.names.code(of: kept) == 0)
        #expect(try rows(left, .name)[kept] == rows(file, .name)[kept])
        #expect(try rows(left, .user).keys.allSatisfy(\.isEmpty))
        #expect(try rows(left, .status) == rows(file, .status))
    }

    @Test func whoIsNotInAFileChangesNothing() throws {
        let events = RollupSamples.events(.commandExecution, count: 300, days: 2, seed: 972)
        let file = try RollupFile(try #require(RollupSamples.build(.commandExecution, [events], policy: .history)))
        #expect(try file.forgetting({ _ in false }, staysNamed: { _ in false }) == nil)
    }

    @Test func theOnlyRecordOfEventsHasTheirDaysHoweverFewTheyAre() throws {
        for family in families {
            for count in [1, 2, 7] {
                let events = RollupSamples.events(family, count: count, days: 2, seed: 973)
                let file = try RollupFile(try #require(RollupSamples.build(family, [events], policy: .history)))
                #expect(file.finestWindow(.status) == .oneHour && file.finestWindow(.name) == .oneHour)
                #expect(file.section(.user, .oneDay) != nil)
                #expect(try rows(file, .status).values.reduce(0) { $0 + $1.eventCount } == UInt64(count))
            }
        }
    }
}

extension AggregateRow {
    fileprivate var eventCount: UInt64 {
        statuses.success + statuses.error + statuses.timeout + statuses.cancelled + values.count
    }
}
