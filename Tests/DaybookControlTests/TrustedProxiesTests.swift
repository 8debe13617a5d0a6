import Testing

@testable import DaybookControl

@Suite struct TrustedProxiesTests {
    @Test func rangesHoldTheirAddressesAndNoOthers() throws {
        for (text, inside, outside) in [
            (
                "10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"],
                ["11.0.0.0", "9.255.255.255", "::a00:1"]
            ),
            ("192.0.2.1", ["192.0.2.1"], ["192.0.2.0", "192.0.2.2", "2001:db8::1"]),
            ("0.0.0.0/0", ["0.0.0.0", "255.255.255.255"], ["::1"]),
            ("192.0.2.128/25", ["192.0.2.128", "192.0.2.255"], ["192.0.2.127"]),
            ("fd00::/8", ["fd00::1", "fdff:ffff::"], ["fc00::1", "fe00::1", "253.0.0.1"]),
            ("2001:db8::/64", ["2001:db8::ffff:1"], ["2001:db8:0:1::"]),
            ("2001:db8::8/125", ["2001:db8::8", "2001:db8::f"], ["2001:db8::7", "2001:db8::10"]),
            ("::/0", ["::1", "2001:db8::1"], ["1.2.3.4"]), ("::1", ["::1"], ["::2", "1::1"]),
        ] as [(String, [String], [String])] {
            let range = try #require(AddressRange(text))
            for address in inside {
                #expect(range.contains(try #require(NetworkAddress(address))), "\(text) \(address)")
            }
            for address in outside {
                #expect(!range.contains(try #require(NetworkAddress(address))), "\(text) \(address)")
            }
        }
    }

    @Test func otherTextsAreNoRanges() {
        for text in [
            "", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0/8", "::/129", "::1/", "a",
            "localhost", "10.0.0.0/ 8", "fe80::1%eth0", "10.0.0.0/0008",
        ] {
            #expect(AddressRange(text) == nil, "\(text)")
        }
    }

    @Test func listsAreReadAndShown() throws {
        #expect(try TrustedProxies(parsing: " 10.0.0.0/8 , ::1").text == "10.0.0.0/8,::1")
        #expect(try TrustedProxies(parsing: "") == TrustedProxies())
        for (text, part) in [("10.0.0.0/8,", ""), ("10.0.0.0/8,x", "x"), ("10.0.0.1 10.0.0.2", "10.0.0.1 10.0.0.2")] {
            #expect(throws: ListFault.part(part)) { try TrustedProxies(parsing: text) }
        }
        let many = Array(repeating: "10.0.0.1", count: 65).joined(separator: ",")
        #expect(throws: ListFault.tooMany(64)) { try TrustedProxies(parsing: many) }
    }

    @Test func theClientIsTheRightmostThatIsNoProxy() throws {
        let proxies = try TrustedProxies(parsing: "10.0.0.0/8,fd00::/8")
        for (field, client) in [
            ("192.0.2.1", "192.0.2.1"), ("192.0.2.9, 192.0.2.1", "192.0.2.1"), ("192.0.2.1,10.0.0.2", "192.0.2.1"),
            ("192.0.2.1 ,\t10.0.0.2, fd00::2", "192.0.2.1"), ("garbage, 192.0.2.1", "192.0.2.1"),
            ("10.0.0.2", "10.0.0.2"), ("10.0.0.3, 10.0.0.2", "10.0.0.3"), ("garbage, 10.0.0.2", "10.0.0.2"),
            ("192.0.2.1:443", "192.0.2.1"), ("[2001:DB8::1]:443", "2001:db8::1"), ("[2001:db8::1]", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"), ("", nil), ("garbage", nil), ("192.0.2.1,", nil), ("192.0.2.1:", nil),
            ("192.0.2.1:x", nil), ("[192.0.2.1]", nil), ("[2001:db8::1", nil), ("[2001:db8::1]x", nil),
            ("[2001:db8::1]:1234567", nil), ("\"192.0.2.1\"", nil),
        ] as [(String, String?)] {
            #expect(proxies.client(in: field)?.text == client, "\(field)")
        }
        let long = "192.0.2.1" + String(repeating: ",10.0.0.1", count: 1_000)
        #expect(proxies.client(in: long)?.text == "10.0.0.1")
    }

    @Test func originsAreThoseThatBrowsersSend() throws {
        let allowed = try AllowedOrigins(parsing: "https://a.example, http://localhost:3000,http://[::1]:8080")
        #expect(allowed.text == "https://a.example,http://localhost:3000,http://[::1]:8080")
        for origin in ["https://a.example", "http://localhost:3000", "http://[::1]:8080"] {
            #expect(allowed.contains(origin))
        }
        for origin in ["https://a.example:443", "http://a.example", "https://A.example", "null", "*", ""] {
            #expect(!allowed.contains(origin), "\(origin)")
        }
        for text in [
            "*", "null", "a.example", "https://a.example/", "https://a.example/x", "https://a.example:443",
            "http://a.example:80", "https://A.example", "ftp://a.example", "https://", "https://a.example:x",
            "https://a.example:0", "https://a.example:070", "https://:8443", "https://*.example", "https://a b",
        ] {
            #expect(throws: ListFault.part(text)) { try AllowedOrigins(parsing: text) }
        }
        #expect(try AllowedOrigins(parsing: " ").isEmpty)
    }
}
