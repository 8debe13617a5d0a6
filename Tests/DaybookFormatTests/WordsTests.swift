import DaybookFormat
import DaybookTestSupport
import Testing

struct EventIDTests {
    @Test func theTextFormIsALowerCaseUUID() {
        let identifier = EventID(high: 0x0123_4567_89AB_CDEF, low: 0x0011_2233_4455_6677)
        #expect(identifier.description == "01234567-89ab-cdef-0011-223344556677")
        #expect(EventID("01234567-89ab-cdef-0011-223344556677") == identifier)
        #expect(EventID("01234567-89AB-CDEF-0011-223344556677") == identifier)
    }

    @Test func randomIdentifiersAreReadBack() {
        var random = SeededRandom(seed: 6)
        for _ in 0..<1_000 {
            let identifier = EventID(high: random.next(), low: random.next())
            #expect(EventID(identifier.description) == identifier)
        }
    }

    @Test(arguments: [
        "", "01234567-89ab-cdef-0011-22334455667", "01234567-89ab-cdef-0011-2233445566777",
        "01234567089ab-cdef-0011-223344556677", "01234567-89ab-cdef-0011-22334455667g",
        "0123456789abcdef0011223344556677", "{1234567-89ab-cdef-0011-223344556677",
        "-1234567-89ab-cdef-0011-223344556677",
        "01234567-89ab-cdef-0011--23344556677", " 1234567-89ab-cdef-0011-223344556677",
    ])
    func anyOtherTextIsRefused(text: String) {
        #expect(EventID(text) == nil)
    }

    @Test func everyByteAtEveryPositionIsADigitOrRefused() {
        let text = Array("01234567-89ab-cdef-0011-223344556677".utf8)
        for position in text.indices {
            for byte in UInt8.min...UInt8.max {
                var changed = text
                changed[position] = byte
                let isHyphen = text[position] == UInt8(ascii: "-")
                let isValid = isHyphen ? byte == UInt8(ascii: "-") : hexValue(byte) != nil
                let identifier = changed.withUnsafeBufferPointer { EventID(text: $0) }
                #expect((identifier != nil) == isValid)
                if let identifier {
                    #expect(identifier.description == String(decoding: changed, as: UTF8.self).lowercased())
                }
            }
        }
    }

    /// The example of RFC 9562, appendix A.6: the time of 2022-02-22 14:22:22 -5:00.
    @Test func version7CarriesTheMillisecondsAndTheVariant() {
        let time = Timestamp(microseconds: 1_645_557_742_000_999)
        let identifier = EventID(version7At: time, random: 0xFFFF_FFFF_FFFF_FCC3, 0x18C4_DC0C_0C07_398F << 2)
        #expect(identifier.description == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
    }

    @Test func version7IdentifiersSortByTime() {
        let earlier = EventID(version7At: Timestamp(microseconds: 5_000), random: .max, .max)
        let later = EventID(version7At: Timestamp(microseconds: 6_000), random: 0, 0)
        #expect(earlier.high < later.high)
    }

    @Test func aTimeBefore1970BecomesZero() {
        #expect(EventID(version7At: Timestamp(microseconds: .min), random: 0, 0).high == 0x7000)
    }
}

struct HexTextTests {
    @Test(arguments: [
        (0 as UInt64, 16, "0000000000000000"), (0xAB, 2, "ab"), (.max, 16, "ffffffffffffffff"), (0x1_02, 2, "02"),
    ])
    func numbersInFileNamesHaveAFixedWidth(value: UInt64, width: Int, expected: String) {
        #expect(hexText(value, width: width) == expected)
    }

    @Test func numbersAreReadBack() {
        var random = SeededRandom(seed: 7)
        for _ in 0..<1_000 {
            let value = random.next()
            #expect(hexNumber(hexText(value)) == value)
            #expect(hexNumber(hexText(value & 0xFF, width: 2), width: 2) == value & 0xFF)
        }
    }

    @Test(arguments: [
        "", "00000000000000A0", "000000000000000", "00000000000000000", "000000000000000g", "+00000000000000a",
    ])
    func anythingButTheExactFormIsRefused(text: String) {
        #expect(hexNumber(text) == nil)
    }
}

struct OrganizationIDTests {
    @Test(arguments: ["a", "0", "acme", "acme-2", "a-", "0-0", String(repeating: "a", count: 63)])
    func namesThatFitThePatternAreTaken(text: String) {
        #expect(OrganizationID(text)?.text == text)
    }

    @Test(arguments: [
        "", "-a", "A", "acme_2", "acme.2", "acme 2", "é", "a/b", "..", "a\0", String(repeating: "a", count: 64), "ａ",
    ])
    func othersAreRefused(text: String) {
        #expect(OrganizationID(text) == nil)
    }
}

struct TimestampTests {
    @Test func additionSaturates() {
        #expect(Timestamp(microseconds: 5).adding(microseconds: -7) == Timestamp(microseconds: -2))
        #expect(Timestamp(microseconds: .max).adding(microseconds: 1) == Timestamp(microseconds: .max))
        #expect(Timestamp(microseconds: .min).adding(microseconds: -1) == Timestamp(microseconds: .min))
    }
}

struct FamilyTests {
    /// These numbers and names are on disk and in exports: this test fails when somebody changes one.
    @Test(arguments: [
        (Family.commandExecution, 1 as UInt8, "command_execution"),
        (.agentInteraction, 2, "agent_interaction"),
        (.sessionChange, 3, "session_change"),
        (.productivityMetric, 4, "productivity_metric"),
        (.control, 64, "control"),
    ])
    func numbersAndNamesNeverChange(family: Family, number: UInt8, name: String) {
        #expect(family.rawValue == number)
        #expect(family.typeName == name)
    }

    @Test func organizationsHoldEveryFamilyButControl() {
        #expect(Set(Family.ofOrganizations) == Set(Family.allCases).subtracting([.control]))
    }
}

struct LimitsTests {
    @Test func theDefaultsAgree() {
        Limits.check(journalFileByteCount: 64 << 20, logFileByteCount: 16 << 20)
        #expect(Limits.groupByteCountMax < 16 << 20)
    }

    @Test func aJournalFileTooSmallForTheLargestGroupIsABug() async {
        await #expect(processExitsWith: .failure) {
            Limits.check(
                journalFileByteCount: Limits.groupByteCountMax + JournalFrame.headerByteCount,
                logFileByteCount: 16 << 20)
        }
    }

    @Test func aLogFileTooSmallForTheLargestGroupIsABug() async {
        await #expect(processExitsWith: .failure) {
            Limits.check(journalFileByteCount: 64 << 20, logFileByteCount: Limits.groupByteCountMax)
        }
    }
}

struct CorruptionTests {
    @Test func itSaysWhereAndWhy() {
        let corruption = Corruption(
            file: "journal/3.dbj", offset: 512, reason: .checksum(expected: 0xE306_9283, found: 0x0000_00FF))
        #expect(corruption.description == "journal/3.dbj at offset 512: checksum 000000ff, expected e3069283")
    }

    @Test(arguments: [
        (FormatError.truncated(needed: 8, found: 3), "truncated: 8 bytes needed, 3 found"),
        (.badMagic(0x4C42_4444), "unknown magic number 4c424444"),
        (.unsupportedVersion(2), "format version 2 is not supported"),
        (.invalid("family"), "invalid family"),
    ])
    func everyReasonIsReadable(error: FormatError, expected: String) {
        #expect(error.description == expected)
    }

    @Test func reasonsDifferByWhatTheyCarry() {
        #expect(FormatError.invalid("family") != .invalid("version"))
        #expect(FormatError.truncated(needed: 1, found: 0) != .truncated(needed: 2, found: 0))
        #expect(FormatError.invalid("family") == .invalid("family"))
    }
}
