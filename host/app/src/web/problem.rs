//! Every kind of problem that the API tells, with the address that documents it. An answer whose
//! kind is missing here fails its test.

/// A kind of problem, as programs meet it.
#[derive(Debug, Clone, Copy)]
pub struct ProblemKind {
    /// Stable; the last part of its address.
    pub code: &'static str,
    /// The status that it comes with.
    pub status: u16,
    pub meaning: &'static str,
    /// For whoever wrote or runs the program that met it.
    pub next_step: &'static str,
}

const fn kind(
    code: &'static str,
    status: u16,
    meaning: &'static str,
    next_step: &'static str,
) -> ProblemKind {
    ProblemKind { code, status, meaning, next_step }
}

/// In the order of their statuses.
pub const PROBLEMS: [ProblemKind; 23] = [
    kind(
        "bad_request",
        400,
        "The address, its query, a header or the body could not be read.",
        "Compare the request with the API's description; the detail names the part.",
    ),
    kind(
        "unauthenticated",
        401,
        "Nobody is signed in, the session has ended, or the key is none of ours, has ended or may not be used from there.",
        "Sign in, and send the session's cookie with the request; or send a key as Authorization: Bearer.",
    ),
    kind(
        "forbidden",
        403,
        "The person who is signed in lacks the permission that the detail names.",
        "Ask an owner of the tenant for it.",
    ),
    kind(
        "for_people",
        403,
        "A program's key was sent to what only people who are signed in may do.",
        "Use an address below /api/v1 that the key's scopes allow, or sign in.",
    ),
    kind(
        "cross_site",
        403,
        "A browser sent the request on behalf of another site.",
        "Send it from a page of Portolan itself, or from a program that carries no browser's cookies.",
    ),
    kind(
        "step_up_required",
        403,
        "It is more than ten minutes ago that the person showed who they are, and this needs it.",
        "Ask them to do so at /sign-in/again, by a code or their password; then send the request again.",
    ),
    kind(
        "second_factor_required",
        403,
        "The company asks for a second factor of this person, and their session has shown none.",
        "Set it up on the page /account; then send the request again from that session.",
    ),
    kind(
        "network_not_allowed",
        403,
        "The company lets people come from its own networks only, and this is none of them.",
        "Come from one of them, or ask an admin of the company to add yours to Admin, Security.",
    ),
    kind(
        "not_found",
        404,
        "There is no such thing, or it belongs to another tenant.",
        "Read the list that it should be in. It may have been deleted.",
    ),
    kind(
        "method_not_allowed",
        405,
        "The address exists, but answers another method.",
        "Use the method that the API's description gives.",
    ),
    kind(
        "conflict",
        409,
        "The state of things does not allow it: a name is taken, work is under way, or somebody else made the \
            same change at the same moment.",
        "Read the thing again; then decide whether the request still makes sense.",
    ),
    kind(
        "idempotency_unsettled",
        409,
        "A request with this Idempotency-Key is still being answered, or the server stopped while it was.",
        "Ask again after as long as Retry-After says. If it stays, read the thing to see what became of it, and send \
            what is missing with a new key.",
    ),
    kind(
        "stale",
        412,
        "The thing has changed since it was read.",
        "Read it again, apply the change to what is there now, and send the new ETag as If-Match.",
    ),
    kind("too_large", 413, "The body is larger than this address takes.", "Send less, in several requests."),
    kind(
        "invalid_input",
        422,
        "One or more fields were not accepted; `errors` points to each and says why.",
        "Correct these fields and send the request again.",
    ),
    kind(
        "idempotency_mismatch",
        422,
        "This Idempotency-Key has been used for another request within a day.",
        "Use a new key for each request that is not a repetition.",
    ),
    kind(
        "channel_refused_credentials",
        422,
        "The channel did not accept the connection's credentials.",
        "Enter them again, or make new ones at the channel.",
    ),
    kind(
        "revision_required",
        428,
        "A change has to say which version of the thing it is about.",
        "Read the thing first and send its ETag as If-Match.",
    ),
    kind(
        "too_many_requests",
        429,
        "More requests came from this address, session or key than it is allowed within a minute.",
        "Wait as long as Retry-After says; `RateLimit` tells with each answer how many are left.",
    ),
    kind(
        "internal",
        500,
        "Portolan failed to answer.",
        "Try again; if it stays, look for `request_id` in the server's log.",
    ),
    kind(
        "channel_failed",
        502,
        "The channel did not answer, or not as it should.",
        "Try again later; the connection's page says what was seen.",
    ),
    kind(
        "unavailable",
        503,
        "Something that the answer needs does not answer for the moment. Nothing was lost.",
        "Try again after as long as Retry-After says.",
    ),
    kind(
        "disk_full",
        503,
        "The disk of the server is full. Reading goes on; writing waits.",
        "Free some space, then try again.",
    ),
];

/// Where a kind of problem is documented: what `type` says.
pub fn address(code: &str) -> String {
    format!("/api/docs/problems/{code}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_told_once_in_full_sentences() {
        for (index, problem) in PROBLEMS.iter().enumerate() {
            assert!(PROBLEMS[..index].iter().all(|other| other.code != problem.code), "{}", problem.code);
            assert!(problem.meaning.ends_with('.') && problem.next_step.ends_with('.'), "{}", problem.code);
        }
        assert!(PROBLEMS.is_sorted_by_key(|problem| problem.status));
    }
}
