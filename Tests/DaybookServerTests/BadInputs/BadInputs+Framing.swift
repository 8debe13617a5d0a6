import DaybookTestSupport

/// What is no request of HTTP, or says two things about where it ends.
extension BadInputs {
    private static let head =
        "POST \(BadInput.command) HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer KEY\r\nContent-Type: application/json\r\n"
    private static let body = "{\(BadInput.whole)}"
    private static let get = "GET /health HTTP/1.1\r\nHost: a\r\n"

    private static func chunked(_ name: String, _ chunks: String) -> BadInput {
        .raw(name, head + "Transfer-Encoding: chunked\r\n\r\n" + chunks)
    }

    private static func framed(_ name: String, _ fields: String) -> BadInput {
        .raw(name, head + fields + "\r\n\r\n" + body)
    }

    static let framing: [BadInput] = [
        framed("a length and chunks", "Content-Length: \(body.utf8.count)\r\nTransfer-Encoding: chunked"),
        framed("chunks and a length", "Transfer-Encoding: chunked\r\nContent-Length: \(body.utf8.count)"),
        framed("two lengths that differ", "Content-Length: 5\r\nContent-Length: 6"),
        framed("two lengths that agree", "Content-Length: 66\r\nContent-Length: 66"),
        framed("two lengths in one field", "Content-Length: 66, 66"),
        framed("a negative length", "Content-Length: -1"),
        framed("a length with a plus", "Content-Length: +66"),
        framed("a hexadecimal length", "Content-Length: 0x42"),
        framed("a length with a point", "Content-Length: 66.0"),
        framed("a length with an exponent", "Content-Length: 1e2"),
        framed("a length in words", "Content-Length: many"),
        framed("a length of nothing", "Content-Length: "),
        framed("a length with a space inside", "Content-Length: 6 6"),
        framed("a length beyond 64 bits", "Content-Length: 99999999999999999999999"),
        framed("a length with a semicolon", "Content-Length: 66;"),
        framed("a space before the colon of a length", "Content-Length : 66"),
        framed("an unknown coding", "Transfer-Encoding: gzip"),
        framed("two codings, chunked last", "Transfer-Encoding: gzip, chunked"),
        framed("two codings, chunked first", "Transfer-Encoding: chunked, gzip"),
        framed("chunked twice", "Transfer-Encoding: chunked, chunked"),
        framed("chunked in two fields", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
        framed("the coding identity", "Transfer-Encoding: identity"),
        framed("a coding that only looks like chunked", "Transfer-Encoding: xchunked"),
        framed("chunked with a parameter", "Transfer-Encoding: chunked;q=1"),
        framed("chunked in quotes", "Transfer-Encoding: \"chunked\""),
        framed("an empty coding", "Transfer-Encoding: "),
        framed("chunked behind a tab of the vertical kind", "Transfer-Encoding: \u{B}chunked"),
        framed("a space before the colon of a coding", "Transfer-Encoding : chunked"),
        .raw(
            "chunks in HTTP/1.0",
            head.replacing("HTTP/1.1", with: "HTTP/1.0") + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        chunked("a chunk size of letters", "zz\r\n\(body)\r\n0\r\n\r\n"),
        chunked("a chunk size of nothing", "\r\n\(body)\r\n0\r\n\r\n"),
        chunked("a negative chunk size", "-42\r\n\(body)\r\n0\r\n\r\n"),
        chunked("a chunk size with 0x", "0x42\r\n\(body)\r\n0\r\n\r\n"),
        chunked("a chunk size with an underscore", "4_2\r\n\(body)\r\n0\r\n\r\n"),
        chunked("a chunk size beyond 64 bits", "FFFFFFFFFFFFFFFFFF\r\n\(body)\r\n0\r\n\r\n"),
        chunked("a chunk size behind a space", " 42\r\n\(body)\r\n0\r\n\r\n"),
        chunked("a chunk that is longer than its size", "2\r\n\(body)\r\n0\r\n\r\n"),
        chunked("a chunk without its end", "2\r\n{}0\r\n\r\n"),
        chunked("a chunk size with a bare line feed", "42\n\(body)\r\n0\r\n\r\n"),
        chunked("a trailer without a colon", "2\r\n{}\r\n0\r\nnonsense\r\n\r\n"),
        chunked("a trailer with a space in its name", "2\r\n{}\r\n0\r\nX Y: 1\r\n\r\n"),
        chunked("a trailer with a NUL", "2\r\n{}\r\n0\r\nX: a\u{0}b\r\n\r\n"),
        .raw(
            "chunks of an import with a bad size",
            head.replacing(BadInput.command, with: "/api/v1/metrics/import")
                + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n"),
        .raw(
            "a request hidden in another one's body",
            head
                + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /version HTTP/1.1\r\nHost: a\r\n\r\n"
        ),
    ]

    static let heads: [BadInput] = [
        .raw("no Host", "GET /health HTTP/1.1\r\n\r\n"),
        .raw("two Hosts", get + "Host: b\r\n\r\n"),
        .raw("two Hosts that agree", get + "Host: a\r\n\r\n"),
        .raw("a Host with a space", "GET /health HTTP/1.1\r\nHost: a b\r\n\r\n"),
        .raw("a Host with a path", "GET /health HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        .raw("a Host with a user", "GET /health HTTP/1.1\r\nHost: u@a\r\n\r\n"),
        .raw("a Host that is a list", "GET /health HTTP/1.1\r\nHost: a, b\r\n\r\n"),
        .raw("a Host with a question mark", "GET /health HTTP/1.1\r\nHost: a?b\r\n\r\n"),
        .raw("a Host with an accent", "GET /health HTTP/1.1\r\nHost: b\u{fc}ro\r\n\r\n"),
        .raw("a Host with a NUL", "GET /health HTTP/1.1\r\nHost: a\u{0}b\r\n\r\n"),
        .raw("a field without a colon", get + "nonsense\r\n\r\n"),
        .raw("a field without a name", get + ": 1\r\n\r\n"),
        .raw("a field with a space in its name", get + "X Y: 1\r\n\r\n"),
        .raw("a field with a space before its colon", get + "X : 1\r\n\r\n"),
        .raw("a field with a control character in its name", get + "X\u{1}: 1\r\n\r\n"),
        .raw("a field with an accent in its name", get + "X\u{e9}: 1\r\n\r\n"),
        .raw("a field with a bracket in its name", get + "X[]: 1\r\n\r\n"),
        .raw("a field with a NUL", get + "X: a\u{0}b\r\n\r\n"),
        .raw("a field with a bare carriage return", get + "X: a\rY: b\r\n\r\n"),
        .raw("a field with a delete character", get + "X: a\u{7F}b\r\n\r\n"),
        .raw("a first field that is indented", "GET /health HTTP/1.1\r\n Host: a\r\n\r\n"),
        .raw("a field folded into two lines", get + "X: a\r\n b\r\n\r\n"),
        .raw("a length folded into two lines", head + "Content-Length:\r\n 66\r\n\r\n\(body)"),
        .raw("an expectation that nobody has", get + "Expect: 200-ok\r\n\r\n", 417, "expectation_failed"),
        .raw("two expectations", get + "Expect: 100-continue, more\r\n\r\n", 417, "expectation_failed"),
        .raw("an empty expectation", get + "Expect: \r\n\r\n", 417, "expectation_failed"),
        .raw(
            "a field of 17 KiB", get + "X: \(String(repeating: "x", count: 17 << 10))\r\n\r\n", 431, "headers_too_large"
        ),
        .raw(
            "a name of 17 KiB", get + "\(String(repeating: "x", count: 17 << 10)): 1\r\n\r\n", 431, "headers_too_large"),
        .raw(
            "fields of 40 KiB together",
            get + (0..<40).map { "X-\($0): \(String(repeating: "x", count: 1_000))\r\n" }.joined() + "\r\n", 431,
            "headers_too_large"),
        .raw(
            "a cookie of 20 KiB", get + "Cookie: \(String(repeating: "a=b; ", count: 4_096))\r\n\r\n", 431,
            "headers_too_large"),
        .raw("101 fields", get + (0..<101).map { "X-\($0): 1\r\n" }.joined() + "\r\n", 431, "headers_too_large"),
        .raw("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        .raw("HTTP/2 written out", "GET /health HTTP/2.0\r\nHost: a\r\n\r\n", 505, "http_version_not_supported"),
        .raw("HTTP/1.2", "GET /health HTTP/1.2\r\nHost: a\r\n\r\n", 505, "http_version_not_supported"),
        .raw("HTTP/0.9 with its number", "GET /health HTTP/0.9\r\nHost: a\r\n\r\n", 505, "http_version_not_supported"),
        .raw("HTTP/0.9 without", "GET /health\r\n\r\n", 505, "http_version_not_supported"),
        .raw(
            "a version without its second number", "GET /health HTTP/1\r\nHost: a\r\n\r\n", 505,
            "http_version_not_supported"),
        .raw("a version in small letters", "GET /health http/1.1\r\nHost: a\r\n\r\n"),
        .raw(
            "a version with more behind it", "GET /health HTTP/1.1x\r\nHost: a\r\n\r\n", 505,
            "http_version_not_supported"),
        .raw("another protocol's version", "GET /health ICAP/1.0\r\nHost: a\r\n\r\n"),
        .raw("an answer instead of a request", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        .raw("a TLS greeting", "\u{16}\u{03}\u{01}\u{00}\u{05}\u{01}\r\n\r\n"),
        .raw("an SSH greeting", "SSH-2.0-OpenSSH_9.6\r\n\r\n"),
        .raw("a mail greeting", "EHLO example.org\r\n\r\n"),
        .raw("a JSON line", "{\"method\":\"GET\"}\r\n\r\n"),
        .raw("only zeros", String(repeating: "\u{0}", count: 64)),
        .raw("a space before the method", " GET /health HTTP/1.1\r\nHost: a\r\n\r\n"),
        .raw("a tab behind the method", "GET\t/health HTTP/1.1\r\nHost: a\r\n\r\n"),
    ]
}
