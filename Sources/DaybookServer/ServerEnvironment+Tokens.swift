internal import DaybookControl
internal import DaybookFormat
internal import Logging

/// Credentials of both kinds: API keys and access tokens.
extension ServerEnvironment {
    /// The credential behind the text of a key or token; nil for every way in which it can be wrong. Never blocks.
    /// - Throws: 503 when too many unknown tokens came to look at this one.
    func verify(_ text: [UInt8], at now: Timestamp) throws(ErrorResponse) -> Credential? {
        guard TokenText.isToken(text) else { return registry.verify(text, at: now) }
        switch tokens.judge(text, at: now) {
        case .accepted(let credential): return credential
        case .refused: return nil
        case .busy: throw .overloaded
        }
    }

    /// Whose it is or was, for the audit trail: it may open nothing any more.
    func identify(_ text: [UInt8]) -> Credential? {
        TokenText.isToken(text) ? tokens.identify(text) : registry.identify(text)
    }

    /// At the start, so that no event loop has to read a file.
    func readSigningKeys() {
        guard let fault = tokens.readKeys() else { return }
        logger.error(
            "The signing keys cannot be used: access tokens of this store are refused, and none are made. daybook token rotate-key makes new ones.",
            metadata: ["error": "\(fault)"])
    }

    /// Blocks on files.
    func refreshIssuers() {
        do throws(ExternalIssuers.Faults) {
            if try tokens.refreshIssuers() { logger.notice("The external issuers were read again.") }
        } catch {
            logger.warning(
                "The external issuers could not be read again; what was read before holds.",
                metadata: ["error": "\(error)"])
        }
    }
}
