package import DaybookStore

/// All that can be configured, validated once; everything that runs takes its part of this value.
///
/// It comes from the built-in defaults, a file, the environment and the command line, each stronger than the one
/// before, and knows for each setting which of them it was. `ConfigurationKey.all` is the list of settings.
package struct Configuration: Sendable {
    /// The data directory; empty when nothing names one.
    package var data = ""
    package var server = ServerOptions()
    package var store = StoreOptions()
    package var organizations = OrganizationDefaults()
    package var log = LogOptions()
    package var tokens = TokenOptions()

    /// By the name of the setting; what is missing here has its default.
    package var origins: [String: ConfigurationOrigin] = [:]
    /// Variables of other metrics services that are set and mean nothing here, by name.
    package var ignoredVariables: [String] = []

    package init() {}

    package func origin(of key: ConfigurationKey) -> ConfigurationOrigin { origins[key.name] ?? .standard }
}

/// What a new organization gets. Written to the control log when it is made, so that it stays what it was when the
/// defaults change, and so that verbs without the server know it.
package struct OrganizationDefaults: Sendable, Equatable {
    package var retention = RetentionPolicy.standard

    package init() {}
}

extension RateLimitPolicy {
    /// Of organizations for which nothing was set: requests in any 60 seconds; 0 is without a bound.
    var defaultRequestsPerMinute: UInt32 {
        get { requestsPerMinute ?? 0 }
        set { self = newValue == 0 ? .standard : RateLimitPolicy(.own, ownRequestsPerMinute: newValue) }
    }
}

package struct LogOptions: Sendable, Equatable {
    package enum Format: String, Sendable, CaseIterable { case text, json }

    package var level = LogLevel.info
    package var format = Format.text

    package init() {}
}

/// The levels of swift-log, which stands on a higher floor, from the most talkative on.
package enum LogLevel: String, Sendable, CaseIterable {
    case trace, debug, info, notice, warning, error, critical
}

/// Where a value comes from.
package enum ConfigurationOrigin: Sendable, Equatable, CustomStringConvertible {
    /// Built in.
    case standard
    /// Lines count from 1.
    case file(path: String, line: Int)
    case variable(String)
    case flag(String)
    /// Changed while the server runs.
    case verb(String)

    package var description: String {
        guard let place else { return kind }
        if case .file = self { return place }
        return "\(kind) \(place)"
    }

    /// One word for programs.
    package var kind: String {
        switch self {
        case .standard: "default"
        case .file: "file"
        case .variable: "environment"
        case .flag: "flag"
        case .verb: "verb"
        }
    }

    /// Where exactly; nil for a default.
    package var place: String? {
        switch self {
        case .standard: nil
        case .file(let path, let line): "\(path):\(line)"
        case .variable(let name), .flag(let name), .verb(let name): name
        }
    }
}

/// One thing that is wrong with a configuration.
package struct ConfigurationFault: Sendable, Equatable, CustomStringConvertible {
    /// As it stands where it was found: a setting, a variable or a flag. Empty when the place says it all.
    package var name: String
    package var origin: ConfigurationOrigin
    /// What is wrong, with the limit; continues a sentence that begins with the name.
    package var message: String
    /// The name that was probably meant.
    package var suggestion: String?

    package init(name: String, origin: ConfigurationOrigin, message: String, suggestion: String? = nil) {
        self.name = name
        self.origin = origin
        self.message = message
        self.suggestion = suggestion
    }

    package var description: String {
        let place =
            switch origin {
            case .standard: ""
            case .file: "\(origin): "
            case .variable: "environment: "
            case .flag, .verb: "command line: "
            }
        let question = suggestion.map { " Did you mean \($0)?" } ?? ""
        return place + (name.isEmpty ? "" : name + " ") + message + question
    }
}

/// Everything that is wrong with a configuration, in the order in which it was looked at.
package struct ConfigurationFaults: Error, Sendable, Equatable, CustomStringConvertible {
    package var list: [ConfigurationFault]

    package init(list: [ConfigurationFault]) { self.list = list }

    package var description: String { list.map(\.description).joined(separator: "\n") }
}
