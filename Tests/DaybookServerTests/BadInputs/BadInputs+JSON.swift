/// What is no JSON, and numbers and texts that are none.
extension BadInputs {
    private static let whole = BadInput.whole

    static let syntax: [BadInput] = [
        .broken("nothing at all", ""),
        .broken("only white space", " \r\n\t "),
        .broken("an open brace", "{"),
        .broken("a brace too many", "{\(whole)}}"),
        .broken("two objects", "{\(whole)}{\(whole)}"),
        .broken("an array that is not closed", "[{\(whole)}"),
        .broken("brackets that cross", #"{"context":[}]"#),
        .broken("a comma at the end", "{\(whole),}"),
        .broken("a comma at the start", "{,\(whole)}"),
        .broken("two commas", #"{"command_name":"a",,"status":"success"}"#),
        .broken("no comma", #"{"command_name":"a" "status":"success"}"#),
        .broken("no colon", #"{"command_name" "a"}"#),
        .broken("two colons", #"{"command_name"::"a"}"#),
        .broken("no value", #"{"command_name":}"#),
        .broken("a name without quotes", "{command_name:\"a\"}"),
        .broken("a name in single quotes", "{'command_name':'a'}"),
        .broken("a name that is a number", "{1:2}"),
        .broken("a text that does not end", #"{"command_name":"a}"#),
        .broken("a line comment", "{\(whole)} // done"),
        .broken("a block comment", "{/* a */\(whole)}"),
        .broken("a hash comment", "# a\n{\(whole)}"),
        .broken("True with a capital", #"{"success":True}"#, BadInput.agent),
        .broken("None", #"{"context":None}"#),
        .broken("undefined", #"{"context":undefined}"#),
        .broken("half a word", #"{"context":nul}"#),
        .broken("a word and more", #"{"context":nullx}"#),
        .broken("an unknown escape", #"{"command_name":"\x41"}"#),
        .broken("an escape at the end", #"{"command_name":"\"#),
        .broken("a bare line break in a text", "{\"command_name\":\"a\nb\"}"),
        .broken("a bare tab in a text", "{\"command_name\":\"a\tb\"}"),
        .broken("a NUL behind the object", "{\(whole)}\u{0}"),
        .broken("a NUL for white space", "{\u{0}\(whole)}"),
        .broken("a form feed for white space", "{\u{C}\(whole)}"),
        .broken("a name twice", "{\(whole),\"status\":\"error\"}"),
        .broken("a name twice, once escaped", "{\(whole),\"\\u0073tatus\":\"error\"}"),
        .broken("a name twice in a free-form object", "{\(whole),\"context\":{\"a\":1,\"b\":2,\"a\":3}}"),
        .broken(
            "a name twice in an item of a batch",
            "{\"command_executions\":[{\(whole),\"user_id\":\"a\",\"user_id\":\"b\"}]}", BadInput.batch),
        .broken(
            "a list twice in a batch", "{\"command_executions\":[{\(whole)}],\"command_executions\":[]}", BadInput.batch
        ),
        .broken("XML", "<event><command_name>a</command_name></event>"),
        .broken("YAML", "command_name: a\nstatus: success\n"),
        .broken("a form", "command_name=a&execution_time_ms=1&status=success"),
        .broken("two lines of NDJSON", "{\(whole)}\n{\(whole)}"),
        .broken("a JSON text sequence", "\u{1E}{\(whole)}\n"),
        .broken("a prefix against hijacking", ")]}',\n{\(whole)}"),
        .broken("a batch cut in its middle", "{\"command_executions\":[{\(whole)},{\"command_na", BadInput.batch),
    ]

    static let numbers: [BadInput] = [
        .broken("a leading zero", #"{"execution_time_ms":01}"#),
        .broken("a leading plus", #"{"execution_time_ms":+1}"#),
        .broken("a point at the end", #"{"execution_time_ms":1.}"#),
        .broken("a point at the start", #"{"execution_time_ms":.5}"#),
        .broken("two points", #"{"execution_time_ms":1.2.3}"#),
        .broken("only a minus", #"{"execution_time_ms":-}"#),
        .broken("two minuses", #"{"execution_time_ms":--1}"#),
        .broken("an exponent without digits", #"{"execution_time_ms":1e}"#),
        .broken("an exponent with a sign only", #"{"execution_time_ms":1e+}"#),
        .broken("an exponent with a point", #"{"execution_time_ms":1e1.5}"#),
        .broken("a hexadecimal number", #"{"execution_time_ms":0x10}"#),
        .broken("an octal number", #"{"execution_time_ms":0o17}"#),
        .broken("a number with underscores", #"{"execution_time_ms":1_000}"#),
        .broken("a number with thousands", #"{"execution_time_ms":1,000}"#),
        .broken("NaN", #"{"metric_type":"a","value":NaN}"#, BadInput.productivity),
        .broken("Infinity", #"{"metric_type":"a","value":Infinity}"#, BadInput.productivity),
        .broken("minus Infinity", #"{"metric_type":"a","value":-Infinity}"#, BadInput.productivity),
        .broken("a number in full-width digits", #"{"execution_time_ms":１２}"#),
        .broken("a number with a unit", #"{"execution_time_ms":12ms}"#),
        .wrong(
            "a negative duration", #"{"command_name":"a","execution_time_ms":-0.001,"status":"success"}"#,
            "execution_time_ms"),
        .wrong(
            "a duration of more than an hour",
            #"{"command_name":"a","execution_time_ms":3600000.000001,"status":"success"}"#, "execution_time_ms"),
        .wrong(
            "a duration far beyond", #"{"command_name":"a","execution_time_ms":1e308,"status":"success"}"#,
            "execution_time_ms"),
        .wrong(
            "a duration in quotes", #"{"command_name":"a","execution_time_ms":"12","status":"success"}"#,
            "execution_time_ms"),
        .wrong("a value beyond doubles", #"{"metric_type":"a","value":1e309}"#, "value", BadInput.productivity),
        .wrong(
            "a negative value beyond doubles", #"{"metric_type":"a","value":-1e309}"#, "value", BadInput.productivity),
        .wrong(
            "a value with a huge exponent", #"{"metric_type":"a","value":1e99999999999999999999}"#, "value",
            BadInput.productivity),
        .wrong(
            "half a token",
            #"{"agent_name":"a","interaction_type":"t","processing_time_ms":1,"success":true,"input_tokens":0.5}"#,
            "input_tokens", BadInput.agent),
        .wrong(
            "negative tokens",
            #"{"agent_name":"a","interaction_type":"t","processing_time_ms":1,"success":true,"output_tokens":-1}"#,
            "output_tokens", BadInput.agent),
        .wrong(
            "tokens beyond 64 bits",
            #"{"agent_name":"a","interaction_type":"t","processing_time_ms":1,"success":true,"input_tokens":18446744073709551616}"#,
            "input_tokens", BadInput.agent),
        .command("a number beyond doubles inside an object", #""context":{"a":[{"b":-1e999}]}"#, "context.a[0].b"),
    ]

    static let unicode: [BadInput] = [
        .broken("a byte order mark", "\u{FEFF}{\(whole)}"),
        .broken("UTF-16, little end first", bytes: [0xFF, 0xFE] + "{}".utf8.flatMap { [$0, 0] }),
        .broken("UTF-16, big end first, without a mark", bytes: "{}".utf8.flatMap { [0, $0] }),
        .broken("UTF-32", bytes: "{}".utf8.flatMap { [0, 0, 0, $0] }),
        text("Latin-1", [0xE9]),
        text("a lone continuation byte", [0x80]),
        text("a sequence cut short", [0xE2, 0x82]),
        text("a sequence that goes on too long", [0xC3, 0xA9, 0xA9]),
        text("an overlong slash of two bytes", [0xC0, 0xAF]),
        text("an overlong slash of three bytes", [0xE0, 0x80, 0xAF]),
        text("an overlong NUL", [0xC0, 0x80]),
        text("an encoded surrogate", [0xED, 0xA0, 0x80]),
        text("an encoded pair of surrogates", [0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80]),
        text("beyond the last character", [0xF4, 0x90, 0x80, 0x80]),
        text("a sequence of five bytes", [0xF8, 0x88, 0x80, 0x80, 0x80]),
        text("the byte FE", [0xFE]),
        text("the byte FF", [0xFF]),
        .broken("a lone high surrogate", #"{"error_message":"\ud800"}"#),
        .broken("a lone low surrogate", #"{"error_message":"\udfff"}"#),
        .broken("surrogates in the wrong order", #"{"error_message":"\ude00\ud83d"}"#),
        .broken("a high surrogate and a letter", #"{"error_message":"\ud83dA"}"#),
        .broken("an escape of three digits", #"{"error_message":"\u12"}"#),
        .broken("an escape with a letter that is no digit", #"{"error_message":"\u12g4"}"#),
        .broken("an escape in braces", #"{"error_message":"\u{1F600}"}"#),
        .broken("a lone surrogate in a name", #"{"\ud800":1}"#),
        .broken("a lone surrogate deep in an object", #"{"context":{"a":[{"b":"\udc00"}]}}"#),
        .wrong(
            "a name with an accent", #"{"command_name":"büro","execution_time_ms":1,"status":"success"}"#,
            "command_name"),
        .wrong(
            "a name in another script that looks alike",
            #"{"command_name":"bаck","execution_time_ms":1,"status":"success"}"#, "command_name"),
        .wrong(
            "a name with a space of no width",
            "{\"command_name\":\"a\u{200B}b\",\"execution_time_ms\":1,\"status\":\"success\"}", "command_name"),
        .wrong(
            "a name turned around", "{\"command_name\":\"\u{202E}exe\",\"execution_time_ms\":1,\"status\":\"success\"}",
            "command_name"),
        .wrong(
            "a name with an escaped NUL", #"{"command_name":"a\u0000","execution_time_ms":1,"status":"success"}"#,
            "command_name"),
        .command("a user with an accent", #""user_id":"émile""#, "user_id"),
        .command("a user in two lines", #""user_id":"a\nb""#, "user_id"),
        .command("a session with a smile", #""session_id":"😀""#, "session_id"),
        .command("a field that looks alike", "\"st\u{430}tus\":\"error\"", "st\u{430}tus"),
    ]

    /// An error message with these bytes in it.
    private static func text(_ name: String, _ bytes: [UInt8]) -> BadInput {
        .broken(
            name, bytes: Array("{\(whole),\"error_message\":\"a".utf8) + bytes + Array("b\"}".utf8))
    }

    static let fields: [BadInput] = [
        .wrong("a number for a body", "7", "body"),
        .wrong("a text for a body", "\"{}\"", "body"),
        .wrong("null for a body", "null", "body"),
        .wrong("an array for a body", "[{\(whole)}]", "body"),
        .wrong("an empty object", "{}", "status"),
        .wrong("an empty name", #"{"command_name":"","execution_time_ms":1,"status":"success"}"#, "command_name"),
        .wrong(
            "a name with a space", #"{"command_name":"git push","execution_time_ms":1,"status":"success"}"#,
            "command_name"),
        .wrong(
            "a status of another family", #"{"command_name":"a","execution_time_ms":1,"status":"completed"}"#, "status"),
        .wrong("a status with a capital", #"{"command_name":"a","execution_time_ms":1,"status":"Success"}"#, "status"),
        .wrong("a status that is a number", #"{"command_name":"a","execution_time_ms":1,"status":200}"#, "status"),
        .command("a field that nobody knows", #""exit_code":0"#, "exit_code"),
        .command("a field with a capital", #""Status":"error""#, "Status"),
        .command("a field with a space behind it", #""status ":"error""#, "status "),
        .command("a field of agents", #""agent_name":"a""#, "agent_name"),
        .command("a prototype for a field", #""__proto__":{"admin":true}"#, "__proto__"),
        .command("an id that is no UUID", #""id":"1234""#, "id"),
        .command("an id without hyphens", #""id":"019b8d6c3a507c1e9f2a5b8e0d4c7a61""#, "id"),
        .command("an id in braces", #""id":"{019b8d6c-3a50-7c1e-9f2a-5b8e0d4c7a61}""#, "id"),
        .command("a context that is an array", #""context":[1]"#, "context"),
        .command("a context that is a text", #""context":"{}""#, "context"),
        .command("arguments that are an array", #""command_args":["-v"]"#, "command_args"),
        .wrong(
            "a success that is a text",
            #"{"agent_name":"a","interaction_type":"t","processing_time_ms":1,"success":"true"}"#, "success",
            BadInput.agent),
        .wrong(
            "a success that is a number",
            #"{"agent_name":"a","interaction_type":"t","processing_time_ms":1,"success":1}"#, "success", BadInput.agent),
        .wrong(
            "an outcome that contradicts itself",
            #"{"agent_name":"a","interaction_type":"t","processing_time_ms":1,"success":true,"status":"timeout"}"#,
            "status", BadInput.agent),
        .wrong(
            "a type with a hyphen",
            #"{"agent_name":"a","interaction_type":"code-review","processing_time_ms":1,"success":true}"#,
            "interaction_type", BadInput.agent),
        .wrong("a measure without its kind", #"{"value":1}"#, "metric_type", BadInput.productivity),
        .wrong("a measure that is true", #"{"metric_type":"a","value":true}"#, "value", BadInput.productivity),
    ]
}
