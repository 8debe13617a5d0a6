internal import DaybookSystem

/// Stands in for the type of that name in the module DaybookControl, the one file of it that needs packages. Numbers of
/// keys are taken as they are: what the packages make of them is not fuzzed here. Nothing is signed or verified.
struct SignatureKey: Sendable {
    struct Unusable: Error, CustomStringConvertible {
        var description: String
    }

    struct Member: Sendable, Equatable {
        var name: String
        var value: String
    }

    let algorithm: SigningAlgorithm
    let publicMembers: [Member]

    init(privateKey bytes: [UInt8], _ algorithm: SigningAlgorithm) throws(Unusable) {
        guard !bytes.isEmpty else { throw Unusable(description: "no key") }
        self.algorithm = algorithm
        publicMembers = []
    }

    init(modulus: String, exponent: String) throws(Unusable) {
        algorithm = .rs256
        publicMembers = [Member(name: "n", value: modulus), Member(name: "e", value: exponent)]
    }

    init(x: String, y: String) throws(Unusable) {
        algorithm = .es256
        publicMembers = [Member(name: "x", value: x), Member(name: "y", value: y)]
    }

    init(x: String) throws(Unusable) {
        algorithm = .edDSA
        publicMembers = [Member(name: "x", value: x)]
    }

    static func makePrivateKey(_ algorithm: SigningAlgorithm, entropy: any Entropy) -> [UInt8] { entropy.bytes(32) }

    func sign(_ message: [UInt8]) throws -> [UInt8] { throw Unusable(description: "no key") }

    func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool { false }
}
