import DaybookFormat
import DaybookStore
import DaybookTestSupport
import Testing

@testable import DaybookControl

/// What an organization chooses for itself.
struct OrganizationConfigurationVerbsTests {
    /// As the documents show it.
    static let sample = """
        "rate_limiting":{"window_ms":60000,"max_requests":2000,"burst_allowance":100},\
        "data_retention":{"command_executions_days":30,"agent_interactions_days":31,"user_sessions_days":32,\
        "productivity_metrics_days":33},\
        "performance":{"batch_size_limit":50,"processing_timeout_ms":10000,"concurrent_requests":10},\
        "alerts":{"high_error_rate_threshold":5.0,"slow_response_threshold_ms":15,\
        "webhook_url":"https://hooks.slack.com/services/T0/B0/x"}
        """

    private func set(_ fixture: IdentityFixture, _ fields: String) throws -> ParsedJSON {
        let more = fields.isEmpty ? "" : "," + fields
        return try fixture.ask(#"{"verb":"org.set_config","organization":"acme"\#(more)}"#)
    }

    private func show(_ fixture: IdentityFixture) throws -> ParsedJSON {
        try fixture.ask(#"{"verb":"org.show_config","organization":"acme"}"#)
    }

    @Test func theSampleHoldsAndOutlivesTheProcess() throws {
        let fixture = try IdentityFixture()
        let answer = try set(fixture, Self.sample)
        #expect(answer["organization"]?.string == "acme")
        let sample = try ParsedJSON(parsing: Array("{\(Self.sample)}".utf8))
        for section in ["rate_limiting", "data_retention", "performance", "alerts"] {
            #expect(answer[section] == sample[section], "\(section)")
        }
        let again = try fixture.reopened()
        #expect(try show(again) == answer)
        let policy = again.store.rateLimits(of: LogID(16))
        #expect(
            policy
                == RateLimitPolicy(.own, ownRequestsPerMinute: 2_000, burst: 100, concurrentBatchCount: 10))
        #expect(
            try again.store.retention(of: IdentityFixture.acme)
                == RetentionPolicy(commands: 30, agents: 31, sessions: 32, productivity: 33))
        #expect(again.store.configuration(of: LogID(16))?.batchEventCountMax == 50)
        let limits = try again.ask(#"{"verb":"limits.show","organization":"acme"}"#)
        #expect(limits["single_per_minute"]?.unsigned == 2_000)
        #expect(limits["batch_per_minute"]?.unsigned == 20_000)
        #expect(limits["burst"]?.unsigned == 100)
        #expect(limits["concurrent_batches"]?.unsigned == 10)
        #expect(again.store.rateLimits(of: LogID(17)) == .standard)
    }

    @Test func whatIsShownMayBeSetAndChangesNothing() throws {
        let fixture = try IdentityFixture()
        for policy in [#""tier":"unlimited""#, #""tier":"professional","burst":10"#, #""requests_per_minute":7"#] {
            _ = try fixture.ask(#"{"verb":"limits.set","organization":"acme",\#(policy)}"#)
            let known = fixture.store.rateLimits(of: LogID(16))
            let shown = try show(fixture)
            let count = try fixture.trail().count
            let bytes = fixture.administration.perform(
                Array(#"{"verb":"org.show_config","organization":"acme"}"#.utf8))
            let text = String(decoding: bytes, as: UTF8.self)
            let fields = text.replacing(#"{"ok":true,"organization":"acme","#, with: "").dropLast()
            #expect(try set(fixture, String(fields)) == shown)
            #expect(fixture.store.rateLimits(of: LogID(16)) == known)
            #expect(try fixture.trail().count == count)
        }
    }

    @Test func anEmptyDocumentTakesEveryChoiceBack() throws {
        let fixture = try IdentityFixture()
        let before = try show(fixture)
        _ = try set(fixture, Self.sample)
        #expect(try set(fixture, "") == before)
        #expect(fixture.store.rateLimits(of: LogID(16)) == .standard)
        #expect(try fixture.store.retention(of: IdentityFixture.acme) == .standard)
    }

    @Test func aLegalHoldIsNotTheOrganizationsToLift() throws {
        let fixture = try IdentityFixture()
        _ = try fixture.ask(#"{"verb":"org.set","organization":"acme","legal_hold":true}"#)
        _ = try set(fixture, #""data_retention":{"command_executions_days":1}"#)
        #expect(try fixture.store.retention(of: IdentityFixture.acme).isHeld)
    }

    @Test(arguments: [
        (#""rate_limiting":{"max_requests":101}"#, false), (#""rate_limiting":{"max_requests":100}"#, true),
        (#""rate_limiting":{"max_requests":100,"burst_allowance":11}"#, false),
        (#""rate_limiting":{"max_requests":90,"burst_allowance":20}"#, true),
        (#""rate_limiting":{"max_requests":90,"burst_allowance":21}"#, false),
        (#""rate_limiting":{"max_requests":5,"burst_allowance":6}"#, false),
        (#""rate_limiting":{"burst_allowance":11}"#, false), (#""performance":{"concurrent_requests":5}"#, true),
        (#""performance":{"concurrent_requests":6}"#, false),
    ])
    func nobodyTakesMoreThanTheOperatorAllows(fields: String, isAllowed: Bool) throws {
        let fixture = try IdentityFixture()
        _ = try fixture.ask(#"{"verb":"limits.set","organization":"acme","tier":"free","burst":10}"#)
        let answer = try set(fixture, fields)
        #expect((answer["code"]?.string == "validation_failed") == !isAllowed, "\(fields)")
    }

    @Test func whatTheOperatorSetsLaterHolds() throws {
        let fixture = try IdentityFixture()
        _ = try set(fixture, Self.sample)
        _ = try fixture.ask(#"{"verb":"limits.set","organization":"acme","tier":"free"}"#)
        #expect(fixture.store.rateLimits(of: LogID(16)) == RateLimitPolicy(.free))
        #expect(try show(fixture)["alerts"]?["slow_response_threshold_ms"]?.unsigned == 15)
        // Also when it says what it had said before.
        _ = try set(fixture, #""rate_limiting":{"max_requests":50}"#)
        #expect(fixture.store.rateLimits(of: LogID(16)).requestsPerMinute == 50)
        _ = try fixture.ask(#"{"verb":"limits.set","organization":"acme","tier":"free"}"#)
        #expect(fixture.store.rateLimits(of: LogID(16)) == RateLimitPolicy(.free))
    }

    @Test func whatDoesNotAdaptDoesNotAdaptWithAChoiceEither() throws {
        let fixture = try IdentityFixture()
        _ = try fixture.ask(#"{"verb":"limits.set","organization":"acme","tier":"free","adaptive":false}"#)
        _ = try set(fixture, #""rate_limiting":{"max_requests":50}"#)
        #expect(!fixture.store.rateLimits(of: LogID(16)).isAdaptive)
    }

    @Test(arguments: [
        (#""rate_limiting":{"window_ms":1000}"#, "rate_limiting.window_ms"),
        (#""rate_limiting":{"max_requests":0}"#, "rate_limiting.max_requests"),
        (#""rate_limiting":{"max_requests":10000001}"#, "rate_limiting.max_requests"),
        (#""rate_limiting":{"max_requests":1.5}"#, "rate_limiting.max_requests"),
        (#""rate_limiting":{"burst_allowance":5}"#, "rate_limiting.burst_allowance"),
        (#""rate_limiting":{"burst":5}"#, "rate_limiting.burst"), (#""rate_limiting":5"#, "rate_limiting"),
        (#""data_retention":{"command_executions_days":-1}"#, "data_retention.command_executions_days"),
        (#""data_retention":{"user_sessions_days":36526}"#, "data_retention.user_sessions_days"),
        (#""performance":{"batch_size_limit":0}"#, "performance.batch_size_limit"),
        (#""performance":{"batch_size_limit":1001}"#, "performance.batch_size_limit"),
        (#""performance":{"processing_timeout_ms":99}"#, "performance.processing_timeout_ms"),
        (#""performance":{"concurrent_requests":101}"#, "performance.concurrent_requests"),
        (#""alerts":{"high_error_rate_threshold":100.001}"#, "alerts.high_error_rate_threshold"),
        (#""alerts":{"high_error_rate_threshold":-1}"#, "alerts.high_error_rate_threshold"),
        (#""alerts":{"high_error_rate_threshold":5.0001}"#, "alerts.high_error_rate_threshold"),
        (#""alerts":{"slow_response_threshold_ms":0}"#, "alerts.slow_response_threshold_ms"),
        (#""alerts":{"webhook_url":"http://a.b"}"#, "alerts.webhook_url"),
        (#""alerts":{"webhook_url":7}"#, "alerts.webhook_url"), (#""nonsense":{}"#, "nonsense"),
    ])
    func aWrongFieldIsNamedAndNothingIsSet(fields: String, name: String) throws {
        let fixture = try IdentityFixture()
        let before = try show(fixture)
        let answer = try set(fixture, fields)
        #expect(answer["code"]?.string == "validation_failed")
        #expect(answer["message"]?.string?.hasPrefix(name + " ") == true, "\(answer)")
        #expect(try show(fixture) == before)
        #expect(try fixture.trail().isEmpty)
    }

    @Test(arguments: [
        "https://hooks.slack.com/services/T0/B0/x?y=z", "HTTPS://A.b", "https://a", "https://[::1]:8443/x",
        "https://10.0.0.1:1/", "https://a-b.example:65535",
    ])
    func anAddressForAlerts(text: String) { #expect(WebhookURL.isAllowed(text)) }

    @Test(arguments: [
        "http://a.b", "https://", "https:///x", "https://a@b.c", "https://u:p@b.c/x", "https://a.b#c", "https://a b",
        "https://a.b/\u{e9}", "https://a.b:0", "https://a.b:65536", "https://a.b:x", "https://a.b:", "https://[::1",
        "https://[]", "https://[x]", "ftp://a.b", "//a.b", "a.b", "https://a_b", "https://.a", "https://a\\b",
        "https://a.b/<x>", "https://a.b/\n", "https://\(String(repeating: "a", count: 2_048))", "javascript:alert(1)",
    ])
    func noAddressForAlerts(text: String) { #expect(!WebhookURL.isAllowed(text)) }
}
