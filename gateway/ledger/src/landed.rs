//! Who pays: what became of a call decides whether its hold is settled or released. One table, `crossings.toml`, and no
//! exceptions elsewhere.
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
    JobFailed,
    JobTimedOut,
    AssetUndeliverable,
    CancelledQueued,
    CancelledRunning,
}

impl Reason {
    pub const ALL: [Self; 20] = [
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
        Self::JobFailed,
        Self::JobTimedOut,
        Self::AssetUndeliverable,
        Self::CancelledQueued,
        Self::CancelledRunning,
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
            Self::JobFailed => "job_failed",
            Self::JobTimedOut => "job_timed_out",
            Self::AssetUndeliverable => "asset_undeliverable",
            Self::CancelledQueued => "cancelled_queued",
            Self::CancelledRunning => "cancelled_running",
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

/// What became of a call whose answer is made of items, such as images, a video, vectors, or the calls of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ItemsFate {
    pub ended: ItemsEnded,
    pub asked: u32,
    /// Items that are whole, stored, and can be fetched from us; for a batch, those that landed by the rule of their kind.
    pub landed: u32,
}

/// How the work on them ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemsEnded {
    /// The provider says that it is done.
    Finished,
    Failed,
    /// By the provider's content rules.
    Blocked,
    TimedOut,
    /// By the caller, before the provider began.
    CancelledQueued,
    /// By the caller, while the provider was at work.
    CancelledRunning,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemsDecision {
    /// Charge this many items.
    Settle {
        items: u32,
    },
    Release(Reason),
}

/// The rule for items: whatever landed is charged, and a cancelled job is free, running or not.
pub fn decide_items(fate: ItemsFate) -> ItemsDecision {
    let reason = match fate.ended {
        ItemsEnded::CancelledQueued => return ItemsDecision::Release(Reason::CancelledQueued),
        ItemsEnded::CancelledRunning => return ItemsDecision::Release(Reason::CancelledRunning),
        ItemsEnded::Finished => Reason::AssetUndeliverable,
        ItemsEnded::Failed => Reason::JobFailed,
        ItemsEnded::Blocked => Reason::ModerationRejected,
        ItemsEnded::TimedOut => Reason::JobTimedOut,
    };
    match fate.landed.min(fate.asked) {
        0 => ItemsDecision::Release(reason),
        items => ItemsDecision::Settle { items },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Every fate of a text call, with the row of the published table that it falls under.
    const ROWS: [(&str, Ended, bool, Decision); 23] = {
        use Decision::{Release, SettleDelivered, SettleUsage};
        const fn finished(finish: Finish) -> Ended {
            Ended::Finished { finish }
        }
        [
            ("upstream_status", Ended::UpstreamStatus, false, Release(Reason::UpstreamError)),
            ("error_inside_a_200", Ended::UpstreamErrorBody, false, Release(Reason::Upstream200ErrorBody)),
            ("error_inside_a_200", Ended::UpstreamErrorBody, true, Release(Reason::Upstream200ErrorBody)),
            ("error_inside_a_200", Ended::UpstreamGarbled, true, Release(Reason::UpstreamGarbled)),
            ("timeouts", Ended::TimeoutConnect, false, Release(Reason::TimeoutConnect)),
            ("timeouts", Ended::TimeoutFirstByte, false, Release(Reason::TimeoutFirstByte)),
            ("timeouts", Ended::TimeoutIdle, true, Release(Reason::TimeoutIdle)),
            (
                "refusal_without_content",
                finished(Finish::Filtered),
                false,
                Release(Reason::ModerationRejected),
            ),
            ("filtered_after_content", finished(Finish::Filtered), true, SettleDelivered),
            ("clean_end_without_content", finished(Finish::Complete), false, Release(Reason::NothingLanded)),
            (
                "clean_end_without_content",
                finished(Finish::OtherLimit),
                false,
                Release(Reason::NothingLanded),
            ),
            ("only_thinking_cut_by_the_callers_limit", finished(Finish::CallersLimit), false, SettleUsage),
            ("finished", finished(Finish::Complete), true, SettleUsage),
            ("finished", finished(Finish::CallersLimit), true, SettleUsage),
            ("finished", finished(Finish::OtherLimit), true, SettleUsage),
            ("cancelled_before_content", Ended::CallerGone, false, Release(Reason::CancelledBeforeContent)),
            (
                "cancelled_before_content",
                Ended::CallerRevoked,
                false,
                Release(Reason::CancelledBeforeContent),
            ),
            ("cancelled_after_content", Ended::CallerGone, true, SettleDelivered),
            ("revoked_after_content", Ended::CallerRevoked, true, SettleDelivered),
            ("upstream_dies_after_content", Ended::UpstreamCut, true, Release(Reason::StreamBroke)),
            ("upstream_dies_after_content", Ended::UpstreamCut, false, Release(Reason::StreamBroke)),
            ("ended_by_us", Ended::GatewayStopped, true, Release(Reason::GatewayRestart)),
            ("ended_by_us", Ended::GatewayFault, true, Release(Reason::GatewayFault)),
        ]
    };

    #[test]
    fn every_row_of_the_no_charge_table() {
        let table = include_str!("../crossings.toml");
        for (row, ended, content, expected) in ROWS {
            assert_eq!(decide(Fate { ended, content }), expected, "{row}");
            let published =
                table.split("[[crossing]]").find(|text| text.contains(&format!("\"crossing_{row}\"")));
            let published = published.unwrap_or_else(|| panic!("{row} is not published"));
            let pays = match expected {
                Decision::Release(_) => "nothing",
                Decision::SettleUsage => "usage",
                Decision::SettleDelivered => "delivered",
            };
            assert!(published.contains(&format!("pays = \"{pays}\"")), "{row} is published as {published}");
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
