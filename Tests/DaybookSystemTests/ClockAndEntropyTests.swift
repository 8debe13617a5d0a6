import DaybookSystem
import Testing

struct ClockAndEntropyTests {
    @Test func theMonotonicClockNeverGoesBack() {
        let clock = SystemClock()
        var last = clock.monotonicNanoseconds()
        for _ in 0..<10_000 {
            let now = clock.monotonicNanoseconds()
            #expect(now >= last)
            last = now
        }
    }

    @Test func theWallClockCountsFrom1970() {
        // Between 2020 and 2200.
        let now = SystemClock().wallMicroseconds()
        #expect(now > 1_577_836_800_000_000 && now < 7_258_118_400_000_000)
    }

    @Test func randomNumbersDoNotRepeat() {
        let entropy = SystemEntropy()
        let numbers = (0..<10_000).map { _ in entropy.next() }
        #expect(Set(numbers).count == numbers.count)
        // Every bit is one about half of the time; five standard deviations are 250.
        for bit in 0..<64 {
            let count = numbers.count { $0 >> bit & 1 == 1 }
            #expect((4_700...5_300).contains(count))
        }
    }

    @Test(arguments: [0, 1, 7, 300, 70_000])
    func randomBytesHaveTheLengthAskedFor(count: Int) {
        let entropy = SystemEntropy()
        let bytes = entropy.bytes(count)
        #expect(bytes.count == count)
        if count > 16 { #expect(bytes != entropy.bytes(count)) }
    }
}
