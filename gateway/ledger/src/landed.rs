//! Who pays: what became of a call decides whether its hold is settled or released. One table, no exceptions elsewhere.
use serde::{Deserialize, Serialize};

/// What became of a text call once its hold was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fate {
    pub ended: Ended,
    /// At least one byte of text, tool input or thinking the caller asked for was written to the caller;
    /// for an answer in one piece, that it is complete and ready to be sent.
    pub content: bool,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The upstream's terminal event came (stop, length, tool use; an incomplete response too).
    Finished {
        finish: Finish,
    },
    /// A status of 400 or above.
    UpstreamStatus,
    /// A status of 200 around an error.
    UpstreamErrorBody,
    /// An answer that cannot be read.
    UpstreamGarbled,
    TimeoutConnect,
    TimeoutFirstByte,
    TimeoutIdle,
    /// The connection broke before the terminal event.
    UpstreamCut,
    /// The caller closed the connection before the terminal event was written.
    CallerGone,
    /// The caller's side took the key away or froze the wallet.
    CallerRevoked,
    /// We are shutting down, or made a mistake.
    GatewayStopped,
    GatewayFault,
}

/// What the upstream's terminal event said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The answer is whole: stop, a stop sequence, a tool call.
    Complete,
    /// Cut at a limit that the caller set.
    CallersLimit,
    /// Cut at a limit that the caller did not set: ours or the model's.
    OtherLimit,
    /// Stopped by the provider's content rules.
    Filtered,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Charge what the upstream says was used.
    SettleUsage,
    /// Charge the input and what was delivered.
    SettleDelivered,
    Release(Reason),
}

/// Why a call cost nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    UpstreamError,
    #[serde(rename = "upstream_200_error_body")]
    Upstream200ErrorBody,
    UpstreamGarbled,
    TimeoutConnect,
    TimeoutFirstByte,
    TimeoutIdle,
    StreamBroke,
    ModerationRejected,
    NothingLanded,
    CancelledBeforeContent,
    GatewayRestart,
    GatewayFault,
    LedgerUnavailable,
    ReleasedByOperator,
    Expired,
}

impl Reason {
    pub const ALL: [Self; 15] = [
        Self::UpstreamError,
        Self::Upstream200ErrorBody,
        Self::UpstreamGarbled,
        Self::TimeoutConnect,
        Self::TimeoutFirstByte,
        Self::TimeoutIdle,
        Self::StreamBroke,
        Self::ModerationRejected,
        Self::NothingLanded,
        Self::CancelledBeforeContent,
        Self::GatewayRestart,
        Self::GatewayFault,
        Self::LedgerUnavailable,
        Self::ReleasedByOperator,
        Self::Expired,
    ];

    /// As receipts spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::UpstreamError => "upstream_error",
            Self::Upstream200ErrorBody => "upstream_200_error_body",
            Self::UpstreamGarbled => "upstream_garbled",
            Self::TimeoutConnect => "timeout_connect",
            Self::TimeoutFirstByte => "timeout_first_byte",
            Self::TimeoutIdle => "timeout_idle",
            Self::StreamBroke => "stream_broke",
            Self::ModerationRejected => "moderation_rejected",
            Self::NothingLanded => "nothing_landed",
            Self::CancelledBeforeContent => "cancelled_before_content",
            Self::GatewayRestart => "gateway_restart",
            Self::GatewayFault => "gateway_fault",
            Self::LedgerUnavailable => "ledger_unavailable",
            Self::ReleasedByOperator => "released_by_operator",
            Self::Expired => "expired",
        }
    }
}

/// The rule. An upstream that dies mid-stream makes the call free, however much was delivered; a caller that leaves
/// after the first content pays for what it got.
pub fn decide(fate: Fate) -> Decision {
    use Decision::{Release, SettleDelivered, SettleUsage};
    match (fate.ended, fate.content) {
        (Ended::Finished { finish: Finish::Filtered }, true) => SettleDelivered,
        (Ended::Finished { finish: Finish::Filtered }, false) => Release(Reason::ModerationRejected),
        (Ended::Finished { .. }, true) => SettleUsage,
        // Thinking filled the room the caller left; the caller could have left more.
        (Ended::Finished { finish: Finish::CallersLimit }, false) => SettleUsage,
        (Ended::Finished { .. }, false) => Release(Reason::NothingLanded),
        (Ended::CallerGone | Ended::CallerRevoked, true) => SettleDelivered,
        (Ended::CallerGone | Ended::CallerRevoked, false) => Release(Reason::CancelledBeforeContent),
        (Ended::UpstreamStatus, _) => Release(Reason::UpstreamError),
        (Ended::UpstreamErrorBody, _) => Release(Reason::Upstream200ErrorBody),
        (Ended::UpstreamGarbled, _) => Release(Reason::UpstreamGarbled),
        (Ended::TimeoutConnect, _) => Release(Reason::TimeoutConnect),
        (Ended::TimeoutFirstByte, _) => Release(Reason::TimeoutFirstByte),
        (Ended::TimeoutIdle, _) => Release(Reason::TimeoutIdle),
        (Ended::UpstreamCut, _) => Release(Reason::StreamBroke),
        (Ended::GatewayStopped, _) => Release(Reason::GatewayRestart),
        (Ended::GatewayFault, _) => Release(Reason::GatewayFault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The published table of who pays, row by row, for text.
    #[test]
    fn every_row_of_the_no_charge_table() {
        use Decision::{Release, SettleDelivered, SettleUsage};
        let finished = |finish| Ended::Finished { finish };
        let rows = [
            ("the upstream answers 4xx or 5xx", Ended::UpstreamStatus, false, Release(Reason::UpstreamError)),
            (
                "200 with an error body",
                Ended::UpstreamErrorBody,
                false,
                Release(Reason::Upstream200ErrorBody),
            ),
            (
                "an error event after content",
                Ended::UpstreamErrorBody,
                true,
                Release(Reason::Upstream200ErrorBody),
            ),
            ("an unreadable answer", Ended::UpstreamGarbled, true, Release(Reason::UpstreamGarbled)),
            ("no connection in time", Ended::TimeoutConnect, false, Release(Reason::TimeoutConnect)),
            ("no first byte in time", Ended::TimeoutFirstByte, false, Release(Reason::TimeoutFirstByte)),
            ("silence in mid-stream", Ended::TimeoutIdle, true, Release(Reason::TimeoutIdle)),
            (
                "refused before any content",
                finished(Finish::Filtered),
                false,
                Release(Reason::ModerationRejected),
            ),
            ("filtered after content", finished(Finish::Filtered), true, SettleDelivered),
            (
                "a clean finish and no content",
                finished(Finish::Complete),
                false,
                Release(Reason::NothingLanded),
            ),
            ("our limit and no content", finished(Finish::OtherLimit), false, Release(Reason::NothingLanded)),
            ("only thinking, cut by the caller's limit", finished(Finish::CallersLimit), false, SettleUsage),
            ("stop or tool use", finished(Finish::Complete), true, SettleUsage),
            ("length, the caller's", finished(Finish::CallersLimit), true, SettleUsage),
            ("length, not the caller's", finished(Finish::OtherLimit), true, SettleUsage),
            (
                "the caller leaves before content",
                Ended::CallerGone,
                false,
                Release(Reason::CancelledBeforeContent),
            ),
            ("the caller leaves after content", Ended::CallerGone, true, SettleDelivered),
            ("revoked before content", Ended::CallerRevoked, false, Release(Reason::CancelledBeforeContent)),
            ("revoked after content", Ended::CallerRevoked, true, SettleDelivered),
            ("the upstream dies after N tokens", Ended::UpstreamCut, true, Release(Reason::StreamBroke)),
            ("we shut down in mid-stream", Ended::GatewayStopped, true, Release(Reason::GatewayRestart)),
            ("our own fault", Ended::GatewayFault, true, Release(Reason::GatewayFault)),
        ];
        for (row, ended, content, expected) in rows {
            assert_eq!(decide(Fate { ended, content }), expected, "{row}");
        }
    }

    #[test]
    fn reasons_are_spelled_once() {
        let names: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.name()).collect();
        assert_eq!(names.len(), Reason::ALL.len());
        for reason in Reason::ALL {
            assert_eq!(serde_json::to_value(reason).expect("serialises"), reason.name());
        }
    }
}
