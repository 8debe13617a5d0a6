// swift-tools-version: 6.1
import PackageDescription

// A package of its own, so that nobody who builds Daybook fetches what only benchmarks need. `Sources` is a link to the
// product's, so that the kernels are compiled as part of this package and `package` access reaches them.

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

func floor(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, path: "Sources/\(name)", swiftSettings: settings)
}

let package = Package(
    name: "daybook-benchmarks",
    dependencies: [
        // Without its traits it needs no further package; allocations are counted by a target of this one.
        .package(url: "https://github.com/ordo-one/benchmark", exact: "1.38.1", traits: []),
        .package(url: "https://github.com/vapor/jwt-kit", exact: "5.7.1"),
    ],
    targets: [
        .target(name: "CChecksum", path: "Sources/CChecksum"),
        .target(name: "CKernel", path: "Sources/CKernel"),
        .target(name: "CAllocations", path: "CAllocations"),
        .systemLibrary(
            name: "CLZ4", path: "Sources/CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
        .systemLibrary(
            name: "CCrypto", path: "Sources/CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        floor("DaybookFormat", ["CChecksum"]),
        floor("DaybookSystem", ["CKernel"]),
        floor("DaybookCrypto", ["CCrypto"]),
        floor("DaybookEvent", ["DaybookFormat"]),
        floor("DaybookLog", ["DaybookFormat", "DaybookSystem"]),
        floor("DaybookSegment", ["DaybookFormat", "DaybookSystem", "DaybookEvent", "CLZ4"]),
        floor("DaybookRollup", ["DaybookFormat", "DaybookEvent"]),
        floor(
            "DaybookStore",
            [
                "DaybookFormat", "DaybookSystem", "DaybookCrypto", "DaybookEvent", "DaybookLog", "DaybookSegment",
                "DaybookRollup",
            ]),
        floor(
            "DaybookQuery",
            ["DaybookFormat", "DaybookSystem", "DaybookEvent", "DaybookSegment", "DaybookRollup", "DaybookStore"]),
        floor(
            "DaybookControl",
            [
                "DaybookFormat", "DaybookSystem", "DaybookCrypto", "DaybookEvent", "DaybookStore",
                .product(name: "JWTKit", package: "jwt-kit"),
            ]),
        .executableTarget(
            name: "Kernels",
            dependencies: [
                "CAllocations", "CLZ4", "DaybookFormat", "DaybookSystem", "DaybookEvent", "DaybookSegment",
                "DaybookRollup",
                "DaybookStore", "DaybookQuery", "DaybookControl",
                .product(name: "Benchmark", package: "benchmark"),
            ],
            path: "Kernels", swiftSettings: settings,
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
    ]
)
