//! What an event of operators says, in the reader's language.
use bytespike_ui::Locale;

pub(crate) fn event(locale: Locale, name: &str) -> Option<&'static str> {
    let t = &locale.t().admin.event;
    Some(match name {
        "operator.created" => t.operator_created,
        "operator.reset" => t.operator_reset,
        "operator.signed_in" => t.operator_signed_in,
        "operator.signed_out" => t.operator_signed_out,
        "operator.sign_in_failed" => t.operator_sign_in_failed,
        "operator.confirmed" => t.operator_confirmed,
        "operator.sessions_ended" => t.operator_sessions_ended,
        "operator_token.created" => t.operator_token_created,
        "operator_token.revoked" => t.operator_token_revoked,
        "wallet.frozen" => t.wallet_frozen,
        "wallet.unfrozen" => t.wallet_unfrozen,
        "wallet.credited" => t.wallet_credited,
        "reservation.released" => t.reservation_released,
        "person.disabled" => t.person_disabled,
        "person.let_in" => t.person_let_in,
        "person.sessions_ended" => t.person_sessions_ended,
        "person.reset_sent" => t.person_reset_sent,
        "channel.put" => t.channel_put,
        "channel.enabled" => t.channel_enabled,
        "channel.disabled" => t.channel_disabled,
        "channel.removed" => t.channel_removed,
        "channel.costs_set" => t.channel_costs_set,
        "channel.tested" => t.channel_tested,
        "wallet.debited" => t.wallet_debited,
        "credit.failed" => t.credit_failed,
        "credit.asked" => t.credit_asked,
        "credit.confirmed" => t.credit_confirmed,
        "credit.refused" => t.credit_refused,
        "voucher.created" => t.voucher_created,
        "voucher.ended" => t.voucher_ended,
        "voucher_batch.created" => t.batch_created,
        "voucher_batch.ended" => t.batch_ended,
        "voucher_batch.downloaded" => t.batch_downloaded,
        "announcement.created" => t.announcement_created,
        "announcement.changed" => t.announcement_changed,
        "announcement.ended" => t.announcement_ended,
        "switch.changed" => t.switch_changed,
        "sign_up.approved" => t.sign_up_approved,
        "sign_up.refused" => t.sign_up_refused,
        "price.drafted" => t.price_drafted,
        "prices.rules_drafted" => t.prices_rules_drafted,
        "price.own_dropped" => t.price_own_dropped,
        "price.draft_discarded" => t.price_draft_discarded,
        "prices.published" => t.prices_published,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use crate::pages::audit::words;
    use bytespike_ui::Locale;
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    /// Where events are made.
    const SOURCES: [&str; 3] = ["gateway", "app", "server"];
    /// Calls that begin with an event's name.
    const MADE_BY: [&str; 4] = ["Event::new(\"", ".did(\"", ".event(\"", "told(\""];
    /// Things whose events are all named before they are made.
    const NAMED_BEFORE: [&str; 5] = ["factor", "oauth_client", "person", "reservation", "sign_up"];
    /// Files with names of the same form that nobody makes events of: what webhooks tell, and the words themselves.
    const OTHERS: [&str; 4] =
        ["/webhooks/event.rs", "/webhooks/message.rs", "/audit/words.rs", "/admin/words.rs"];

    fn sources(folder: &Path, all: &mut Vec<(String, String)>) {
        for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            let name = path.display().to_string();
            if path.is_dir() && !name.ends_with("/tests") {
                sources(&path, all);
            } else if name.ends_with(".rs") && !name.ends_with("/tests.rs") {
                let text = fs::read_to_string(&path).unwrap_or_default();
                // What follows belongs to the tests of the file.
                let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned();
                all.push((name, text));
            }
        }
    }

    /// `thing.verb`, both of small letters.
    fn is_event(name: &str) -> bool {
        let is_word =
            |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        name.split_once('.').is_some_and(|(thing, verb)| is_word(thing) && is_word(verb))
    }

    fn events() -> BTreeSet<String> {
        let mut all = Vec::new();
        for folder in SOURCES {
            sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder), &mut all);
        }
        let beginning = |text: &str, mark: &str| -> Vec<String> {
            let names = text.split(mark).skip(1).filter_map(|rest| rest.split('"').next());
            names.filter(|name| is_event(name)).map(str::to_owned).collect()
        };
        let made: BTreeSet<String> =
            all.iter().flat_map(|(_, text)| MADE_BY.iter().flat_map(|mark| beginning(text, mark))).collect();
        let things = made.iter().filter_map(|name| Some(name.split_once('.')?.0)).chain(NAMED_BEFORE);
        let things: BTreeSet<&str> = things.collect();
        let is_of_a_thing =
            |name: &String| name.split_once('.').is_some_and(|(thing, _)| things.contains(thing));
        // A name that is put aside first stands alone between quotation marks.
        let told = all.iter().filter(|(name, _)| OTHERS.iter().all(|other| !name.ends_with(other)));
        let quoted = told.flat_map(|(_, text)| text.split('"')).filter(|name| is_event(name));
        let named: BTreeSet<String> = quoted.map(str::to_owned).filter(is_of_a_thing).collect();
        made.union(&named).cloned().collect()
    }

    #[test]
    fn every_event_has_words_in_both_languages() {
        let events = events();
        assert!(events.len() > 100, "only {} events were found in the source", events.len());
        for name in &events {
            for locale in Locale::ALL {
                let words = words::event(locale, name);
                let words = words.unwrap_or_else(|| panic!("the audit log has no words for {name}"));
                assert_eq!(words.is_ascii(), locale == Locale::En, "{name}: {words}");
            }
        }
    }
}
