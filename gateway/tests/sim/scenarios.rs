//! What the life of a call promises, one scene each: in the time that it takes, with none spent waiting.
use crate::client::{Ask, Heard, Leaves, ask};
use crate::provider::{Head, Piece, Reply, Served};
use crate::recordings::{Recording, named};
use crate::run::revoke;
use crate::stage::{BOTH, CLAUDE, GPT, Stage, on_stage};
use crate::verdict::{charged, price};
use crate::wire;
use bytes::Bytes;
use bytespike_dialects::Dialect;
use bytespike_gateway::upstream::SendError;
use bytespike_ledger::{Fault, Moment};
use bytespike_store::{on_database, sqlx};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

const TEXT: &str = "anthropic_text.sse";

/// A streamed question to the Anthropic channel in its own dialect.
fn question() -> Ask {
    Ask::new(1, Dialect::Anthropic, CLAUDE, true)
}

/// The recording up to `mark`, and the rest.
fn split(recording: &'static Recording, mark: &str) -> (Piece, Piece) {
    let text = std::str::from_utf8(recording.bytes).expect("a recording is text");
    let at = text.find(mark).unwrap_or_else(|| panic!("no {mark} in {}", recording.name));
    let (first, rest) = recording.bytes.split_at(at);
    (Piece::Bytes(Bytes::from_static(first)), Piece::Bytes(Bytes::from_static(rest)))
}

async fn answered(stage: &Stage, asked: &Ask, replies: Vec<Reply>) -> Heard {
    stage.provider.expect(&asked.label, replies);
    let heard = ask(stage, asked).await;
    stage.gateway.drain().await;
    heard
}

fn text(heard: &Heard) -> String {
    String::from_utf8(heard.bytes()).expect("UTF-8")
}

fn served(stage: &Stage, asked: &Ask) -> Vec<Served> {
    stage.provider.served(&asked.label)
}

#[test]
fn it_is_settled_before_the_last_event_which_says_what_it_cost() {
    on_stage(1, async |stage| {
        let recording = named(TEXT);
        let heard = answered(&stage, &question(), vec![Reply::whole(recording.bytes)]).await;
        let events = wire::events(&heard.bytes()).expect("events");
        let (credits, receipt_id) = wire::cost(wire::usages(&events)).expect("a cost");
        assert_eq!(wire::nano(&credits), price(recording.used));
        assert_eq!(heard.header("x-receipt-id"), Some(&*receipt_id));
        assert_eq!(charged(&stage, &heard).await, ("stop".to_owned(), price(recording.used)));
    });
}

#[test]
fn when_the_ledger_refuses_the_settlement_the_last_event_has_no_cost_and_the_call_is_free() {
    for (moment, fault) in [(Moment::Stored, Fault::Refuse), (Moment::Begin, Fault::Die)] {
        on_stage(1, async |stage| {
            let (first, rest) = split(named(TEXT), "event: message_delta");
            let asked = question();
            stage.provider.expect(&asked.label, vec![Reply::ok(vec![first, Piece::WaitMs(1_000), rest])]);
            let trouble = stage.trouble.clone();
            let troubled = tokio::spawn(async move {
                sleep(Duration::from_millis(500)).await;
                trouble.set(Some((moment, fault)));
                sleep(Duration::from_millis(3_200)).await;
                trouble.set(None);
            });
            let heard = ask(&stage, &asked).await;
            let events = wire::events(&heard.bytes()).expect("events");
            assert_eq!(
                wire::check_order(asked.dialect, &events),
                Ok(wire::Ended::Well),
                "the answer is whole all the same"
            );
            assert_eq!(wire::cost(wire::usages(&events)), None);
            troubled.await.expect("no panic");
            stage.gateway.drain().await;
            assert_eq!(charged(&stage, &heard).await, ("ledger_unavailable".to_owned(), 0), "{moment:?}");
            assert_eq!(stage.ledger.check_invariants().await.expect("the checks run"), []);
        });
    }
}

#[test]
fn a_settlement_whose_confirmation_is_lost_stands_and_its_receipt_says_so() {
    on_stage(1, async |stage| {
        let (first, rest) = split(named(TEXT), "event: message_delta");
        let asked = question();
        stage.provider.expect(&asked.label, vec![Reply::ok(vec![first, Piece::WaitMs(1_000), rest])]);
        let trouble = stage.trouble.clone();
        tokio::spawn(async move {
            sleep(Duration::from_millis(500)).await;
            trouble.set(Some((Moment::Committed, Fault::Die)));
            sleep(Duration::from_secs(8)).await;
            trouble.set(None);
        });
        let heard = ask(&stage, &asked).await;
        assert_eq!(wire::cost(wire::usages(&wire::events(&heard.bytes()).expect("events"))), None);
        stage.settle_down().await;
        assert_eq!(charged(&stage, &heard).await.1, price(named(TEXT).used), "charged once");
        assert_eq!(stage.ledger.check_invariants().await.expect("the checks run"), []);
    });
}

#[test]
fn a_silent_ledger_refuses_a_call_in_time_and_sends_nothing_to_the_provider() {
    on_stage(1, async |stage| {
        stage.trouble.set(Some((Moment::Begin, Fault::Die)));
        let heard = answered(&stage, &question(), vec![Reply::whole(named(TEXT).bytes)]).await;
        stage.trouble.set(None);
        assert_eq!(heard.status, Some(503), "{}", text(&heard));
        assert!((5_000..6_000).contains(&stage.clock.elapsed_ms()), "{}", stage.clock.elapsed_ms());
        assert_eq!(served(&stage, &question()), []);
    });
}

#[test]
fn a_provider_that_fails_before_content_hands_the_call_to_the_next_channel() {
    let failures = [
        Reply::failing(Head::Fails(SendError::Connect)),
        Reply::failing(Head::Fails(SendError::ConnectTimeout)),
        Reply::failing(Head::Status(529, 5)),
        Reply::ok(vec![split(named(TEXT), "event: content_block_start").0, Piece::Break]),
    ];
    for failure in failures {
        on_stage(1, async |stage| {
            let asked = Ask::new(1, Dialect::Anthropic, BOTH, true);
            let good = Reply::whole(named("openai_text.sse").bytes);
            let heard = answered(&stage, &asked, vec![failure.clone(), good]).await;
            assert_eq!(
                (heard.status, heard.header("x-attempts"), heard.header("x-served-by")),
                (Some(200), Some("2"), Some("two")),
                "{failure:?}: {}",
                text(&heard)
            );
            let (reason, nano) = charged(&stage, &heard).await;
            assert_eq!(
                (&*reason, nano),
                ("stop", price(named("openai_text.sse").used)),
                "one answer is charged: {failure:?}"
            );
        });
    }
}

#[test]
fn after_content_no_other_channel_is_asked_and_the_call_is_free() {
    on_stage(1, async |stage| {
        let asked = Ask::new(1, Dialect::Anthropic, BOTH, true);
        let (first, _) = split(named(TEXT), "event: message_delta");
        let good = Reply::whole(named("openai_text.sse").bytes);
        let heard =
            answered(&stage, &asked, vec![Reply::ok(vec![first, Piece::WaitMs(10), Piece::Break]), good])
                .await;
        assert!(text(&heard).contains("event: error"), "{}", text(&heard));
        assert_eq!(served(&stage, &asked).len(), 1);
        assert_eq!(charged(&stage, &heard).await, ("stream_broke".to_owned(), 0));
    });
}

#[test]
fn a_slow_provider_gets_a_status_line_and_pings_while_it_thinks() {
    on_stage(1, async |stage| {
        let recording = named(TEXT);
        let slow = Reply { head: Head::Status(200, 15_000), ..Reply::whole(recording.bytes) };
        let heard = answered(&stage, &question(), vec![slow]).await;
        assert_eq!(heard.status, Some(200));
        assert!(text(&heard).matches("event: ping").count() >= 3, "{}", text(&heard));
        assert_eq!(charged(&stage, &heard).await.1, price(recording.used));
    });
}

#[test]
fn silence_ends_a_call_and_costs_nothing() {
    let (first, _) = split(named(TEXT), "event: message_delta");
    let cases = [
        (Reply::failing(Head::Never), "timeout_first_byte", 20_000),
        (Reply::ok(vec![first, Piece::Hang]), "timeout_idle", 10_000),
    ];
    for (reply, reason, after_ms) in cases {
        on_stage(1, async |stage| {
            let heard = answered(&stage, &question(), vec![reply]).await;
            assert_eq!(charged(&stage, &heard).await, (reason.to_owned(), 0), "{}", text(&heard));
            assert!(
                (after_ms..after_ms + 200).contains(&stage.clock.elapsed_ms()),
                "{}",
                stage.clock.elapsed_ms()
            );
        });
    }
}

#[test]
fn an_answer_without_end_is_ended_at_the_limit_of_a_call() {
    on_stage(1, async |stage| {
        let (first, _) = split(named(TEXT), "event: content_block_stop");
        let drip = named(TEXT)
            .bytes
            .split(|byte| *byte == b'\n')
            .find(|line| line.starts_with(b"data: {\"type\":\"content_block_delta\""));
        let drip = [b"event: content_block_delta\n", drip.expect("a delta"), b"\n\n"].concat();
        let drips = (0..1_000).flat_map(|_| [Piece::WaitMs(2_000), Piece::Bytes(Bytes::from(drip.clone()))]);
        let heard =
            answered(&stage, &question(), vec![Reply::ok([first].into_iter().chain(drips).collect())]).await;
        assert!(heard.is_whole && text(&heard).contains("event: error"), "{}", text(&heard));
        assert_eq!(charged(&stage, &heard).await, ("timeout_idle".to_owned(), 0));
        assert!((120_000..121_000).contains(&stage.clock.elapsed_ms()), "{}", stage.clock.elapsed_ms());
    });
}

#[test]
fn a_revoked_key_ends_its_stream_within_two_seconds_and_pays_for_what_it_took() {
    for (mark, reason) in [
        ("event: message_delta", "revoked_after_content"),
        ("event: content_block_start", "cancelled_before_content"),
    ] {
        on_stage(1, async |stage| {
            let (first, _) = split(named(TEXT), mark);
            let asked = question();
            let taken = cut_meanwhile(&stage, &asked, first, async |stage| revoke(&stage, 0).await).await;
            let (told, nano) = charged(&stage, &taken).await;
            assert_eq!((&*told, nano > 0), (reason, reason == "revoked_after_content"));
            assert!((5_000..7_000).contains(&stage.clock.elapsed_ms()), "{}", stage.clock.elapsed_ms());
            assert!(text(&taken).contains("revoked"), "{}", text(&taken));
        });
    }
}

#[test]
fn shutting_down_ends_every_stream_with_an_error_and_charges_none() {
    on_stage(1, async |stage| {
        let (first, _) = split(named(TEXT), "event: message_delta");
        let asked = question();
        let taken =
            cut_meanwhile(&stage, &asked, first, async |stage| stage.gateway.cut_and_drain().await).await;
        assert_eq!(charged(&stage, &taken).await, ("gateway_restart".to_owned(), 0));
        assert!(text(&taken).contains("event: error"), "{}", text(&taken));
    });
}

/// Begins an answer that then stays silent, and five seconds later does something to it.
async fn cut_meanwhile(
    stage: &Arc<Stage>,
    asked: &Ask,
    first: Piece,
    cut: impl AsyncFnOnce(Arc<Stage>),
) -> Heard {
    stage.provider.expect(&asked.label, vec![Reply::ok(vec![first, Piece::Hang])]);
    let (listener, question) = (stage.clone(), asked.clone());
    let listening = tokio::spawn(async move { ask(&listener, &question).await });
    sleep(Duration::from_secs(5)).await;
    cut(stage.clone()).await;
    let heard = listening.await.expect("no panic");
    stage.gateway.drain().await;
    heard
}

#[test]
fn a_whole_answer_is_free_until_it_is_settled() {
    for (leaves, nano) in [(Leaves::AfterMs(900), 0), (Leaves::Never, price(named("openai_text.json").used))]
    {
        on_stage(1, async |stage| {
            let asked = Ask::new(1, Dialect::Anthropic, GPT, false).leaving(leaves);
            let slow =
                Reply { head: Head::Status(200, 1_000), ..Reply::whole(named("openai_text.json").bytes) };
            let heard = answered(&stage, &asked, vec![slow]).await;
            stage.settle_down().await;
            let wallet = stage.ledger.wallet(&stage.prepared.org_id).await.expect("reads").expect("a wallet");
            assert_eq!(crate::stage::WALLET_NANO - wallet.posted.0, nano, "{leaves:?}: {}", text(&heard));
        });
    }
}

#[test]
fn a_client_that_leaves_before_content_lets_go_of_the_provider_at_once() {
    on_stage(1, async |stage| {
        let asked = question().leaving(Leaves::AfterMs(5_000));
        let (first, _) = split(named(TEXT), "event: content_block_start");
        let heard = answered(&stage, &asked, vec![Reply::ok(vec![first, Piece::Hang])]).await;
        assert_eq!(charged(&stage, &heard).await, ("cancelled_before_content".to_owned(), 0));
        assert!(served(&stage, &asked)[0].is_abandoned);
        assert_eq!(stage.clock.elapsed_ms(), 5_000);
    });
}

/// Takes content, then leaves three seconds in.
fn leaving() -> Ask {
    question().leaving(Leaves::AfterMs(3_000))
}

/// What was learned of the call after it was resolved: its output tokens, and what is absorbed of its cost, in pico-USD.
async fn learned(stage: &Stage, heard: &Heard) -> Option<(i64, i64)> {
    let id = heard.header("x-receipt-id").expect("a receipt");
    let found: Option<(String, i64, Option<i64>)> = on_database!(read &stage.store, db => sqlx::query_as(
        "select l.usage_json, l.cost_pico, a.amount_pico from late_usage l
         left join absorbed_cost a on a.reservation_id = l.reservation_id and a.cause = 'late_usage'
         where l.reservation_id = $1").bind(id).fetch_optional(db).await)
    .expect("reads");
    let (usage, cost_pico, absorbed_pico) = found?;
    let usage: serde_json::Value = serde_json::from_str(&usage).expect("JSON");
    assert_eq!(cost_pico, 1_000 * price(named(TEXT).used), "at list");
    Some((usage["output_tokens"].as_i64().expect("a count"), absorbed_pico.unwrap_or(0)))
}

#[test]
fn an_answer_whose_client_has_gone_is_read_on_to_learn_its_cost_which_the_customer_does_not_pay() {
    on_stage(1, async |stage| {
        let (first, rest) = split(named(TEXT), "event: message_delta");
        let reply = Reply::ok(vec![first, Piece::WaitMs(8_000), rest]);
        let heard = answered(&stage, &leaving(), vec![reply]).await;
        let (reason, nano) = charged(&stage, &heard).await;
        assert_eq!(
            (&*reason, stage.clock.elapsed_ms()),
            ("cancelled_after_content", 3_000),
            "resolved at once"
        );
        assert_eq!(learned(&stage, &heard).await, None, "not yet");
        sleep(Duration::from_secs(6)).await;
        let absorbed_pico = 1_000 * (price(named(TEXT).used) - nano).max(0);
        assert_eq!(learned(&stage, &heard).await, Some((named(TEXT).used.output, absorbed_pico)));
        assert!(served(&stage, &leaving())[0].read_bytes == named(TEXT).bytes.len());
        assert_eq!(charged(&stage, &heard).await, (reason, nano), "the receipt stays as it was");
        assert_eq!(stage.ledger.check_invariants().await.expect("the checks run"), []);
    });
}

#[test]
fn reading_on_ends_after_thirty_seconds_after_256_kib_and_when_the_process_stops() {
    let (first, _) = split(named(TEXT), "event: message_delta");
    let comment = Piece::Bytes(Bytes::from([b": ", &[b'x'; 64 << 10][..], b"\n\n"].concat()));
    let flood: Vec<Piece> = [first.clone(), Piece::WaitMs(5_000)]
        .into_iter()
        .chain(vec![comment; 9])
        .chain([Piece::Hang])
        .collect();
    let silence = vec![first, Piece::Hang];
    for (pieces, stops, left_alone_ms) in
        [(silence.clone(), false, 10_000), (flood, false, 5_000), (silence, true, 4_000)]
    {
        on_stage(1, async |stage| {
            let heard = answered(&stage, &leaving(), vec![Reply::ok(pieces)]).await;
            sleep(Duration::from_millis(1_000)).await;
            assert!(!served(&stage, &leaving())[0].is_abandoned, "it is read on");
            if stops {
                stage.gateway.cut_and_drain().await;
            }
            let mut waited = 0;
            while !served(&stage, &leaving())[0].is_abandoned {
                sleep(Duration::from_millis(10)).await;
                waited += 1;
                assert!(waited < 4_000, "the provider is never let go");
            }
            let at_ms = stage.clock.elapsed_ms();
            assert!((left_alone_ms..left_alone_ms + 200).contains(&at_ms), "left alone at {at_ms}");
            assert_eq!(learned(&stage, &heard).await, None);
        });
    }
}

#[test]
fn only_so_many_answers_are_read_on_at_once() {
    on_stage(1, async |stage| {
        let (first, _) = split(named(TEXT), "event: message_delta");
        let mut clients = Vec::new();
        for number in 0..crate::stage::MAX_DRAINS + 2 {
            let asked = Ask::new(number, Dialect::Anthropic, CLAUDE, true).leaving(Leaves::AfterMs(3_000));
            stage.provider.expect(&asked.label, vec![Reply::ok(vec![first.clone(), Piece::Hang])]);
            let (stage, question) = (stage.clone(), asked.clone());
            clients.push((asked, tokio::spawn(async move { ask(&stage, &question).await })));
        }
        let mut abandoned = 0;
        for (asked, client) in clients {
            client.await.expect("no panic");
            stage.gateway.drain().await;
            sleep(Duration::from_millis(1)).await;
            abandoned += usize::from(served(&stage, &asked)[0].is_abandoned);
        }
        assert_eq!(abandoned, 2);
    });
}
