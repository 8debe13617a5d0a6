/// The buckets of scale 5: 32 to an octave. Bucket `i` holds the values above 2^(i/32), up to and including
/// 2^((i+1)/32), the convention of OTLP and of Prometheus native histograms.
///
/// The index comes from a table of mantissas and from integer comparisons only. `log2` of a C library may differ by one
/// bit between machines, and a value beside a boundary would then change its bucket.
package enum BucketIndex {
    /// Buckets of one octave.
    package static let bucketsPerOctave = 32

    /// Entry `k` is 2^(63 + k/32), rounded down: the mantissa of a boundary with its leading bit on top. Each but the
    /// first is irrational, so for a 64-bit mantissa "above the boundary" and "above the boundary rounded down" are the
    /// same. `BucketIndexTests` proves every entry by raising it to the 32nd power with exact integers.
    package static let boundaries: [UInt64] = [
        0x8000_0000_0000_0000, 0x82CD_8698_AC2B_A1D7, 0x85AA_C367_CC48_7B14, 0x8898_0E80_92DA_8527,
        0x8B95_C1E3_EA8B_D6E6, 0x8EA4_398B_45CD_53C0, 0x91C3_D373_AB11_C336, 0x94F4_EFA8_FEF7_0961,
        0x9837_F051_8DB8_A96F, 0x9B8D_39B9_D54E_5538, 0x9EF5_3260_91A1_11AD, 0xA270_4303_0C49_6818,
        0xA5FE_D6A9_B151_38EA, 0xA9A1_5AB4_EA7C_0EF8, 0xAD58_3EEA_42A1_4AC6, 0xB123_F581_D2AC_258F,
        0xB504_F333_F9DE_6484, 0xB8FB_AF47_62FB_9EE9, 0xBD08_A39F_580C_36BE, 0xC12C_4CCA_6670_9456,
        0xC567_2A11_5506_DADD, 0xC9B9_BD86_6E2F_27A2, 0xCE24_8C15_1F84_80E3, 0xD2A8_1D91_F12A_E45A,
        0xD744_FCCA_D69D_6AF4, 0xDBFB_B797_DAF2_3755, 0xE0CC_DEEC_2A94_E111, 0xE5B9_06E7_7C83_48A8,
        0xEAC0_C6E7_DD24_392E, 0xEFE4_B99B_DCDA_F5CB, 0xF525_7D15_2486_CC2C, 0xFA83_B2DB_722A_033A,
    ]

    /// Entry `j` counts the boundaries below 2^63 + j * 2^57. Boundaries lie further apart than 2^57, so at most one more
    /// can lie below a mantissa whose six bits after the leading one are `j`.
    static let boundariesBelow: [UInt8] = [
        0, 1, 2, 3, 3, 4, 5, 5, 6, 7, 7, 8, 8, 9, 10, 10,
        11, 11, 12, 13, 13, 14, 14, 15, 15, 16, 16, 17, 17, 18, 18, 19,
        19, 20, 20, 21, 21, 22, 22, 22, 23, 23, 24, 24, 25, 25, 26, 26,
        26, 27, 27, 28, 28, 28, 29, 29, 30, 30, 30, 31, 31, 31, 32, 32,
    ]

    /// The bucket of an integer. Precondition: not zero.
    @inline(__always)
    package static func of(_ value: UInt64) -> Int32 {
        let shift = value.leadingZeroBitCount
        return index(mantissa: value << UInt64(shift), exponent: 63 - shift)
    }

    /// The bucket of a positive finite number, subnormal ones included. Precondition: it is one.
    @inline(__always)
    package static func of(_ value: Double) -> Int32 {
        precondition(value > 0 && value.isFinite)
        let bits = value.bitPattern
        let fraction = bits & 0x000F_FFFF_FFFF_FFFF
        let biasedExponent = Int(bits >> 52)
        if biasedExponent == 0 {
            let shift = fraction.leadingZeroBitCount
            return index(mantissa: fraction << UInt64(shift), exponent: 63 - shift - 1_074)
        }
        return index(mantissa: 1 << 63 | fraction << 11, exponent: biasedExponent - 1_023)
    }

    @inline(__always)
    private static func index(mantissa: UInt64, exponent: Int) -> Int32 {
        let guess = Int(boundariesBelow[Int(truncatingIfNeeded: mantissa >> 57) & 63])
        let isAboveNext = guess < bucketsPerOctave && mantissa > boundaries[guess]
        return Int32(truncatingIfNeeded: exponent &* bucketsPerOctave &+ guess &+ (isAboveNext ? 1 : 0) &- 1)
    }

    /// The tables without the checks of an array, for loops over many values.
    @unsafe struct Tables {
        fileprivate let boundaries: UnsafeBufferPointer<UInt64>
        fileprivate let boundariesBelow: UnsafeBufferPointer<UInt8>

        /// The same as `BucketIndex.of`. Precondition: not zero.
        @inline(__always)
        func index(of value: UInt64) -> Int32 {
            let shift = value.leadingZeroBitCount
            let mantissa = value << UInt64(truncatingIfNeeded: shift)
            let guess = Int(unsafe boundariesBelow[Int(truncatingIfNeeded: mantissa >> 57) & 63])
            // The largest guess is 32: the last interval lies above all boundaries.
            let isAboveNext = unsafe guess < bucketsPerOctave && mantissa > boundaries[guess]
            return Int32(truncatingIfNeeded: (63 &- shift) &* bucketsPerOctave &+ guess &+ (isAboveNext ? 1 : 0) &- 1)
        }
    }

    static func withTables<R>(_ body: (Tables) -> R) -> R {
        unsafe boundaries.withUnsafeBufferPointer { boundaries in
            unsafe boundariesBelow.withUnsafeBufferPointer { below in
                unsafe body(Tables(boundaries: boundaries, boundariesBelow: below))
            }
        }
    }

    /// The value that answers for bucket `index` of `scale`: 2LU/(L+U) for the bounds L and U, from which neither bound
    /// is further, relatively, than (g-1)/(g+1) with g = U/L. At scale 5 that is 1.083 %.
    package static func midpoint(of index: Int32, scale: Int) -> Double {
        // L / U = 2^(-1/2^scale), a boundary of the table halved; at scale 0 and below a power of two.
        let ratio = lowerBound(of: -1, scale: scale)
        return lowerBound(of: index, scale: scale) / (1 + ratio) * 2
    }

    /// 2^(index / 2^scale), to the nearest double but for one rounding of the table.
    private static func lowerBound(of index: Int32, scale: Int) -> Double {
        precondition(scale <= ExponentialHistogram.scaleMax)
        guard scale >= 0 else { return power(of: Int(index) << -scale, mantissa: 1) }
        let perOctave = 1 << scale
        let octave = Int(index) >> scale
        let entry = (Int(index) - octave * perOctave) * (bucketsPerOctave / perOctave)
        return power(of: octave, mantissa: Double(boundaries[entry]) / 0x1p63)
    }

    private static func power(of exponent: Int, mantissa: Double) -> Double {
        Double(sign: .plus, exponent: exponent, significand: mantissa)
    }
}
