/// Which file is read.
package struct ConfigurationPlace: Sendable, Equatable {
    package static let fileByteCountMax = 1 << 20

    package var path: String
    /// Nobody asked for it: that it is not there is no fault.
    package var isOptional: Bool

    /// The flag's file, else that of `DAYBOOK_CONFIG`, else `daybook/config.toml` in the user's folder of
    /// configurations (XDG Base Directory Specification: `XDG_CONFIG_HOME`, which must be absolute, else `.config` in
    /// the home directory). Nil when none of them is named.
    package init?(flag: String?, variables: [String: String]) {
        if let path = flag ?? Self.named("DAYBOOK_CONFIG", variables) {
            self.path = path
            isOptional = false
            return
        }
        let named = Self.named("XDG_CONFIG_HOME", variables).flatMap { $0.hasPrefix("/") ? $0 : nil }
        guard let folder = named ?? Self.named("HOME", variables).map({ $0 + "/.config" }) else { return nil }
        path = folder + "/daybook/config.toml"
        isOptional = true
    }

    private static func named(_ name: String, _ variables: [String: String]) -> String? {
        variables[name].flatMap { $0.isEmpty ? nil : $0 }
    }
}
