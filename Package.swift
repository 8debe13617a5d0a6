// swift-tools-version: 6.2
import PackageDescription

// The floors of docs/architecture.md. A target may depend only on targets of lower floors; TidyTests read the
// imports and hold them against the same table, because SwiftPM does not enforce the direction.

/// Tests run in the release configuration (docs/decisions/0007), where `@testable import` has to be asked for.
let testable: [SwiftSetting] =
    Context.environment["DAYBOOK_TESTABLE"] == nil ? [] : [.unsafeFlags(["-enable-testing"])]

let strict: [SwiftSetting] =
    testable + [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .strictMemorySafety(),
        .treatAllWarnings(as: .error),
    ]

let testing: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .treatAllWarnings(as: .error),
]

func floor(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies + ["DaybookTestSupport"], swiftSettings: testing)
}

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOTLS", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
    .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
    .product(name: "NIOSSL", package: "swift-nio-ssl"),
    .product(name: "NIOHTTP2", package: "swift-nio-http2"),
    .product(name: "HTTPTypes", package: "swift-http-types"),
]

let package = Package(
    name: "daybook",
    products: [.executable(name: "daybook", targets: ["daybook"])],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-http2", exact: "1.46.0"),
        .package(url: "https://github.com/vapor/jwt-kit", exact: "5.7.1"),
    ],
    targets: [
        // Floor C
        .target(name: "CChecksum"),
        .target(name: "CKernel"),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        // Floor 0
        floor("DaybookFormat", ["CChecksum"]),
        floor("DaybookSystem", ["CKernel"]),
        floor("DaybookCrypto", ["CCrypto"]),
        floor("DaybookCompression", ["CLZ4", "CZlib"]),
        // Floor 1
        floor("DaybookEvent", ["DaybookFormat"]),
        // Floor 2
        floor("DaybookLog", ["DaybookFormat", "DaybookSystem"]),
        floor("DaybookSegment", ["DaybookFormat", "DaybookSystem", "DaybookEvent", "CLZ4"]),
        floor("DaybookRollup", ["DaybookFormat", "DaybookEvent"]),
        // Floor 3
        floor(
            "DaybookStore",
            [
                "DaybookFormat", "DaybookSystem", "DaybookCrypto", "DaybookEvent", "DaybookLog", "DaybookSegment",
                "DaybookRollup",
            ]),
        // Floor 4
        floor(
            "DaybookQuery",
            ["DaybookFormat", "DaybookSystem", "DaybookEvent", "DaybookSegment", "DaybookRollup", "DaybookStore"]),
        // Floor 5
        floor(
            "DaybookControl",
            [
                "DaybookFormat", "DaybookSystem", "DaybookCrypto", "DaybookEvent", "DaybookStore",
                .product(name: "JWTKit", package: "jwt-kit"),
            ]),
        floor("DaybookExport", ["DaybookFormat", "DaybookSystem", "DaybookEvent", "DaybookStore", "DaybookQuery"]),
        // Floor 6
        floor(
            "DaybookServer",
            nio + [
                "DaybookFormat", "DaybookSystem", "DaybookCrypto", "DaybookCompression", "DaybookEvent", "DaybookLog",
                "DaybookStore", "DaybookQuery", "DaybookControl", "DaybookExport",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        floor(
            "DaybookTools",
            [
                "DaybookFormat", "DaybookSystem", "DaybookCrypto", "DaybookEvent", "DaybookLog", "DaybookSegment",
                "DaybookRollup", "DaybookStore", "DaybookQuery", "DaybookControl", "DaybookExport",
            ]),
        // Floor 7
        .executableTarget(
            name: "daybook",
            dependencies: [
                "DaybookFormat", "DaybookSystem", "DaybookEvent", "DaybookStore", "DaybookQuery", "DaybookControl",
                "DaybookExport", "DaybookServer", "DaybookTools",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        // Tests
        .target(
            name: "DaybookTestSupport",
            dependencies: [
                "DaybookFormat", "DaybookSystem", "DaybookEvent", "DaybookSegment", "DaybookStore", "CLZ4", "CZlib",
            ],
            path: "Tests/DaybookTestSupport", swiftSettings: testing),
        tests("TidyTests"),
        tests("DaybookFormatTests", ["DaybookFormat", "CChecksum"]),
        tests("DaybookSystemTests", ["DaybookFormat", "DaybookSystem", "DaybookCrypto"]),
        tests("DaybookCryptoTests", ["DaybookFormat", "DaybookCrypto"]),
        tests("DaybookCompressionTests", ["DaybookCompression"]),
        tests("DaybookTestSupportTests", ["DaybookFormat", "DaybookSystem"]),
        tests("DaybookEventTests", ["DaybookFormat", "DaybookEvent"]),
        tests("DaybookLogTests", ["DaybookFormat", "DaybookSystem", "DaybookLog"]),
        tests("DaybookSegmentTests", ["DaybookFormat", "DaybookSystem", "DaybookEvent", "DaybookSegment"]),
        tests("DaybookRollupTests", ["DaybookFormat", "DaybookEvent", "DaybookRollup"]),
        tests(
            "DaybookStoreTests",
            [
                "DaybookFormat", "DaybookSystem", "DaybookEvent", "DaybookLog", "DaybookSegment", "DaybookRollup",
                "DaybookStore",
            ]),
        tests(
            "DaybookQueryTests",
            [
                "DaybookFormat", "DaybookSystem", "DaybookEvent", "DaybookLog", "DaybookSegment", "DaybookRollup",
                "DaybookStore", "DaybookQuery",
            ]),
        tests(
            "DaybookControlTests",
            ["DaybookFormat", "DaybookSystem", "DaybookCrypto", "DaybookStore", "DaybookControl"]),
        tests(
            "DaybookExportTests",
            ["DaybookFormat", "DaybookSystem", "DaybookEvent", "DaybookStore", "DaybookQuery", "DaybookExport"]),
        tests(
            "DaybookServerTests",
            [
                "DaybookFormat", "DaybookSystem", "DaybookCrypto", "DaybookStore",
                "DaybookControl", "DaybookServer", .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOHPACK", package: "swift-nio-http2"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        tests(
            "DaybookToolsTests",
            [
                "DaybookFormat", "DaybookSystem", "DaybookEvent", "DaybookSegment", "DaybookStore", "DaybookQuery",
                "DaybookTools",
            ]),
        tests(
            "SimulationTests",
            [
                "DaybookFormat", "DaybookSystem", "DaybookEvent", "DaybookLog", "DaybookSegment", "DaybookStore",
                "DaybookQuery",
            ]),
        tests("CrashTests", ["DaybookFormat", "DaybookSystem", "DaybookTools"]),
    ]
)
